//! What the shop's people, places and goods are called.

/// A market: how many customers live there, and how they are named and reached.
pub struct Country {
    pub code: &'static str,
    pub weight: u64,
    pub zone: &'static str,
    /// The start of a phone number, and how many digits follow. France and Great Britain set numbers
    /// aside for fiction; elsewhere the unassigned code +999 makes sure that nobody real is called.
    pub phone: (&'static str, u32),
    pub cities: &'static [&'static str],
    pub first: &'static [&'static str],
    pub last: &'static [&'static str],
}

// One name a line would hide the list.
#[rustfmt::skip]
pub const COUNTRIES: &[Country] = &[
    Country {
        code: "FR",
        weight: 340,
        zone: "Europe/Paris",
        phone: ("+3363998", 4),
        cities: &["Paris", "Lyon", "Marseille", "Bordeaux", "Lille", "Nantes", "Rennes", "Nîmes", "Saint-Étienne"],
        first: &[
            "Amélie", "Camille", "Léa", "Chloé", "Inès", "Zoé", "Noémie", "Marie-Claire", "Anaïs", "Margaux",
            "Lucie", "Élodie", "Gaëlle", "Sarah", "Louis", "Hugo", "Théo", "Raphaël", "Jean-Luc", "Benoît", "Mathéo",
            "François", "Loïc", "Karim", "Étienne", "Antoine",
        ],
        last: &[
            "Martin", "Bernard", "Dubois", "Lefèvre", "Moreau", "Laurent", "Lefebvre", "Garnier", "Faure",
            "D'Angelo", "L'Hôpital", "Mercier", "Guérin", "Boyer", "Chevalier", "François", "Benali", "Nguyen",
            "Pélissier", "Besançon", "de La Tour", "Rousseau", "Le Goff",
        ],
    },
    Country {
        code: "DE",
        weight: 220,
        zone: "Europe/Berlin",
        phone: ("+99949", 7),
        cities: &["Berlin", "Hamburg", "München", "Köln", "Leipzig", "Düsseldorf", "Göttingen"],
        first: &[
            "Jürgen", "Anna", "Lena", "Käthe", "Björn", "Günter", "Lukas", "Jonas", "Marie", "Sophie", "Felix",
            "Jörg", "Annegret", "Mia", "Paul", "Emma", "Hannelore", "Emre", "Ayşe", "Uwe",
        ],
        last: &[
            "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Groß", "Schäfer", "Köhler", "Yılmaz", "Krüger",
            "von Bülow", "Hoffmann", "Weiß", "Lange", "Böhm", "Schröder", "Meyer-Lüdenscheidt", "Kaya", "Vogel",
        ],
    },
    Country {
        code: "IT",
        weight: 90,
        zone: "Europe/Rome",
        phone: ("+99939", 7),
        cities: &["Milano", "Roma", "Torino", "Bologna", "Forlì"],
        first: &[
            "Giulia", "Niccolò", "Chiara", "Marco", "Luca", "Francesca", "Alessandro", "Sofia", "Matteo", "Elena",
            "Davide", "Beatrice",
        ],
        last: &[
            "Rossi", "Russo", "Ferrari", "Dell'Acqua", "D'Amico", "Bianchi", "Romano", "Conti", "De Luca", "Nicolò",
            "Greco", "Marini",
        ],
    },
    Country {
        code: "ES",
        weight: 80,
        zone: "Europe/Madrid",
        phone: ("+99934", 7),
        cities: &["Madrid", "Barcelona", "Valencia", "Málaga", "A Coruña"],
        first: &[
            "José", "María", "Lucía", "Íñigo", "Begoña", "Sofía", "Martín", "Álvaro", "Carmen", "Andrés", "Núria",
            "Jordi",
        ],
        last: &[
            "Nuñez", "García", "Fernández", "López", "Muñoz", "Peña", "Ibáñez", "Martínez", "Puigdomènech",
            "Sánchez", "Ordóñez", "Vidal",
        ],
    },
    Country {
        code: "GB",
        weight: 80,
        zone: "Europe/London",
        phone: ("+447700900", 3),
        cities: &["London", "Edinburgh", "Leeds", "Cardiff", "Belfast"],
        first: &[
            "Olivia", "Harry", "Zoë", "Imogen", "Callum", "Priya", "Rhys", "Chloe", "Oliver", "Aisha", "George",
            "Siân",
        ],
        last: &[
            "Smith", "O'Brien", "Jones", "Patel", "MacLeod", "Taylor", "Brontë", "Hughes", "Fitz-Gerald", "Khan",
            "Evans", "Wood",
        ],
    },
    Country {
        code: "PL",
        weight: 45,
        zone: "Europe/Warsaw",
        phone: ("+99948", 7),
        cities: &["Kraków", "Warszawa", "Łódź", "Gdańsk"],
        first: &["Łukasz", "Małgorzata", "Agnieszka", "Paweł", "Zofia", "Michał", "Joanna", "Stanisław"],
        last: &["Wójcik", "Kowalczyk", "Wiśniewski", "Dąbrowski", "Łuczak", "Żak", "Nowak", "Zając"],
    },
    Country {
        code: "NL",
        weight: 40,
        zone: "Europe/Amsterdam",
        phone: ("+99931", 7),
        cities: &["Amsterdam", "Utrecht", "Rotterdam", "'s-Hertogenbosch"],
        first: &["Daan", "Anouk", "Sanne", "Thijs", "Fleur", "Ruben", "Loïs", "Joost"],
        last: &["de Vries", "van den Berg", "Jansen", "van 't Hoff", "Bakker", "Visser", "in 't Veld"],
    },
    Country {
        code: "BE",
        weight: 35,
        zone: "Europe/Brussels",
        phone: ("+99932", 7),
        cities: &["Bruxelles", "Antwerpen", "Liège", "Gent"],
        first: &["Élise", "Maxime", "Lotte", "Noor", "Céline", "Arthur", "Wout", "Aurélie"],
        last: &["Peeters", "Janssens", "D'hondt", "Lambert", "Maes", "Dupont", "T'Jampens"],
    },
    Country {
        code: "DK",
        weight: 20,
        zone: "Europe/Copenhagen",
        phone: ("+99945", 7),
        cities: &["København", "Aarhus", "Helsingør"],
        first: &["Søren", "Astrid", "Jørgen", "Freja", "Mads", "Åse", "Bjørn"],
        last: &["Kjær", "Sørensen", "Østergaard", "Nielsen", "Møller", "Aagaard"],
    },
    Country {
        code: "IE",
        weight: 15,
        zone: "Europe/Dublin",
        phone: ("+999353", 7),
        cities: &["Dublin", "Cork", "Galway"],
        first: &["Zoë", "Siobhán", "Aoife", "Cillian", "Pádraig", "Niamh"],
        last: &["O'Neil", "O'Sullivan", "Ní Dhomhnaill", "Murphy", "Byrne"],
    },
    Country {
        code: "US",
        weight: 15,
        zone: "America/New_York",
        phone: ("+9991", 9),
        cities: &["New York", "Boston", "Atlanta"],
        first: &["Emily", "Renée", "Jamal", "Michael", "Guadalupe", "Ethan"],
        last: &["Johnson", "O'Hara", "Peña", "Williams", "Lee", "St. John"],
    },
    Country {
        code: "UA",
        weight: 8,
        zone: "Europe/Kyiv",
        phone: ("+999380", 7),
        cities: &["Київ", "Львів", "Одеса"],
        first: &["Ольга", "Андрій", "Наталія", "Тарас", "Марія"],
        last: &["Шевченко", "Коваленко", "Лисенко", "Бондар", "Мельник"],
    },
    Country {
        code: "CN",
        weight: 6,
        zone: "Asia/Shanghai",
        phone: ("+99986", 8),
        cities: &["上海", "北京", "深圳"],
        first: &["娜", "伟", "芳", "秀英", "敏"],
        last: &["李", "王", "张", "刘", "欧阳"],
    },
    Country {
        code: "JP",
        weight: 6,
        zone: "Asia/Tokyo",
        phone: ("+99981", 8),
        cities: &["東京", "大阪", "京都"],
        first: &["陽子", "健太", "さくら", "翔", "美咲"],
        last: &["佐藤", "鈴木", "髙橋", "田中", "渡邊"],
    },
];

/// Name, city, country.
pub const STORES: &[(&str, &str, &str)] = &[
    ("Paris Bastille", "Paris", "FR"),
    ("Paris, rue de l'Étoile", "Paris", "FR"),
    ("Lyon Presqu'île", "Lyon", "FR"),
    ("Marseille Vieux-Port", "Marseille", "FR"),
    ("Bordeaux Chartrons", "Bordeaux", "FR"),
    ("Lille Grand'Place", "Lille", "FR"),
    ("Nantes Graslin", "Nantes", "FR"),
    ("Berlin Mitte", "Berlin", "DE"),
    ("Hamburg Speicherstadt", "Hamburg", "DE"),
    ("München, Viktualienmarkt", "München", "DE"),
    ("Köln Südstadt", "Köln", "DE"),
    ("Milano Brera", "Milano", "IT"),
    ("Roma Trastevere", "Roma", "IT"),
    ("Madrid Malasaña", "Madrid", "ES"),
    ("Barcelona Gràcia", "Barcelona", "ES"),
    ("London \"The Arches\"", "London", "GB"),
    ("Edinburgh Old Town", "Edinburgh", "GB"),
    ("Kraków Kazimierz", "Kraków", "PL"),
    ("Amsterdam De Pijp", "Amsterdam", "NL"),
    ("København Nørrebro", "København", "DK"),
];

/// Category, the letters its article numbers begin with, its articles with their base prices in euros.
pub type Shelf = (&'static str, &'static str, [(&'static str, u64); 5]);

pub const SHELVES: &[Shelf] = &[
    (
        "kitchen",
        "KIT",
        [
            ("Kettle, 1.7 l", 39),
            ("Cast-iron pan", 58),
            ("Bread knife", 24),
            ("Espresso maker", 86),
            ("Storage jars, set of 3", 18),
        ],
    ),
    (
        "home",
        "HOM",
        [
            ("Linen bedspread", 74),
            ("Floor lamp", 95),
            ("Wool blanket", 62),
            ("Wall clock 12\"", 36),
            ("Candle holder", 14),
        ],
    ),
    (
        "garden",
        "GAR",
        [("Secateurs", 27), ("Watering can, 5 l", 22), ("Folding chair", 54), ("Herb planter", 19), ("Fire bowl", 98)],
    ),
    (
        "outdoor",
        "OUT",
        [("Tent for two", 148), ("Rucksack 30 l", 78), ("Sleeping bag", 92), ("Head torch", 26), ("Enamel mug", 9)],
    ),
    (
        "clothing",
        "CLO",
        [
            ("Merino jumper", 68),
            ("Rain jacket", 110),
            ("Socks, 2 pairs", 12),
            ("Fisherman's cap", 24),
            ("Work apron", 32),
        ],
    ),
    (
        "audio",
        "AUD",
        [
            ("Headphones", 118),
            ("Kitchen radio", 84),
            ("Turntable", 196),
            ("Speaker 5\"", 128),
            ("Audio cable, 2 m", 11),
        ],
    ),
    (
        "books",
        "BOO",
        [
            ("Bread & butter: a baker's year", 26),
            ("Atlas of small islands", 34),
            ("The \"slow\" garden", 22),
            ("Knots", 12),
            ("Travel journal", 15),
        ],
    ),
    (
        "toys",
        "TOY",
        [
            ("Wooden train", 36),
            ("Kite", 21),
            ("Building blocks, 100 pieces", 29),
            ("Puppet theatre", 64),
            ("Marbles", 7),
        ],
    ),
];

/// Every article comes in these variants; the price is this share of its base price, in percent.
pub const VARIANTS: [(&str, u64); 5] = [("Classic", 100), ("Mini", 70), ("Duo", 140), ("Pro", 170), ("Atelier", 240)];

pub const NOTES: &[&str] = &[
    "for the new flat",
    "for Mum, she likes \"anything blue\"",
    "birthday present",
    "size M, not L",
    "wait for the sale",
    "Noël 🎄",
    "für Oma",
    "ask Zoë first, then order",
    "the \"Pro\" one, please",
    "we have one already? check, then decide",
    "als verrassing voor 's avonds",
    "второй подарок",
];

/// The one note of several lines: it tells a real CSV reader from one that splits at line ends.
pub const NOTE_OF_TWO_LINES: &str = "two of them:\none for us, one for \"the kids\"";

/// Mail domains and how common they are. All of them are reserved, so no mail can ever arrive.
pub const DOMAINS: [(&str, u64); 7] = [
    ("example.com", 40),
    ("example.org", 15),
    ("example.net", 10),
    ("shop.test", 10),
    ("mail.test", 10),
    ("post.example", 8),
    ("home.example", 7),
];

/// The plain letters that people use in an address for a letter of their name, if it has any.
pub fn plain_letters(letter: char) -> &'static str {
    match letter {
        'à' | 'á' | 'â' | 'å' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' => "n",
        'ò' | 'ó' | 'ô' => "o",
        'ö' | 'ø' => "oe",
        'ß' => "ss",
        'ş' | 'ś' => "s",
        'ú' => "u",
        'ü' => "ue",
        'ż' => "z",
        _ => "",
    }
}

/// Somebody whose facts are fixed, for documentation and tests to name.
pub struct Known {
    pub id: u32,
    pub email: &'static str,
    pub name: (&'static str, &'static str),
    pub country: &'static str,
    pub tier: &'static str,
    pub joined: (i64, i64, i64),
    pub birthday: (i64, i64, i64),
    pub opt_in: bool,
    /// The amounts of their orders, in cents.
    pub orders: &'static [u64],
}

pub const KNOWN: &[Known] = &[
    Known {
        id: 1,
        email: "anna@shop.test",
        name: ("Anna", "Müller"),
        country: "DE",
        tier: "silver",
        joined: (2023, 1, 9),
        birthday: (1985, 6, 14),
        opt_in: true,
        orders: &[5_990, 24_000, 11_050],
    },
    Known {
        id: 17,
        email: "amelie@shop.test",
        name: ("Amélie", "Laurent"),
        country: "FR",
        tier: "gold",
        joined: (2023, 2, 28),
        birthday: (1991, 11, 30),
        opt_in: true,
        orders: &[31_250, 18_000, 32_000],
    },
    // Exactly 500 is not more than 500, and a cent above it is.
    Known {
        id: 42,
        email: "juergen.gross@example.org",
        name: ("Jürgen", "Groß"),
        country: "DE",
        tier: "silver",
        joined: (2024, 5, 2),
        birthday: (1962, 8, 1),
        opt_in: true,
        orders: &[12_500, 37_500],
    },
    Known {
        id: 43,
        email: "lukasz.wojcik@example.org",
        name: ("Łukasz", "Wójcik"),
        country: "PL",
        tier: "silver",
        joined: (2024, 5, 2),
        birthday: (1988, 12, 31),
        opt_in: true,
        orders: &[12_500, 37_501],
    },
    // A birthday that comes every four years.
    Known {
        id: 100,
        email: "soren.kjaer@mail.test",
        name: ("Søren", "Kjær"),
        country: "DK",
        tier: "silver",
        joined: (2024, 2, 29),
        birthday: (2000, 2, 29),
        opt_in: true,
        orders: &[45_500],
    },
    Known {
        id: 256,
        email: "li.na@example.com",
        name: ("娜", "李"),
        country: "CN",
        tier: "gold",
        joined: (2023, 9, 1),
        birthday: (1994, 2, 10),
        opt_in: true,
        orders: &[64_000, 59_990, 9_900],
    },
    Known {
        id: 512,
        email: "olha@post.example",
        name: ("Ольга", "Шевченко"),
        country: "UA",
        tier: "silver",
        joined: (2023, 6, 24),
        birthday: (1979, 3, 8),
        opt_in: true,
        orders: &[52_490],
    },
    // A name that breaks a page or a message if it is put in without escaping.
    Known {
        id: 1000,
        email: "office@smith-and-sons.example",
        name: ("{first_name}", "Smith & Sons <Ltd>"),
        country: "GB",
        tier: "gold",
        joined: (2023, 3, 15),
        birthday: (1970, 1, 1),
        opt_in: true,
        orders: &[99_900, 149_850],
    },
    // Spends a lot and wants no mail.
    Known {
        id: 4312,
        email: "zoe.oneil@shop.test",
        name: ("Zoë", "O'Neil"),
        country: "IE",
        tier: "silver",
        joined: (2024, 3, 17),
        birthday: (1990, 7, 22),
        opt_in: false,
        orders: &[41_250, 40_000],
    },
];
