//! Writes the data of the example shop: `cargo run --example shop-data [-- FOLDER]`.
//!
//! The same program always writes the same bytes. There is no clock and no environment in it, and
//! all arithmetic is on integers, so no machine's floating point can make a difference. Each table
//! draws from its own stream of random numbers, so a change to one disturbs the others little.
//!
//! The data has flaws on purpose; `README.md` lists them.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own, with an argument and an output"
)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "generator/calendar.rs"]
mod calendar;
#[path = "generator/chance.rs"]
mod chance;
#[path = "generator/csv.rs"]
mod csv;
#[path = "generator/flaws.rs"]
mod flaws;
#[path = "generator/names.rs"]
mod names;

use calendar::{DAY, HOUR, date, day, iso_date, iso_instant, weekday};
use chance::Rng;
use csv::{Csv, money, or_empty};
use flaws::{spoil_customers, spoil_orders, spoil_wishes};
use names::{COUNTRIES, Country, DOMAINS, KNOWN, Known, NOTES, SHELVES, STORES, VARIANTS};

/// Another seed makes another shop of the same kind.
const SEED: u64 = 31;

const CUSTOMERS: u32 = 5_000;
const WISHES: usize = 2_400;

// Days are counted from 1970-01-01, instants in seconds, money in cents.
const FIRST_SALE: i64 = day(2023, 1, 1);
const LAST_SALE: i64 = day(2026, 11, 20);

struct Product {
    sku: String,
    title: String,
    category: &'static str,
    price: u64,
    stock: u64,
    launched: i64,
}

struct Store {
    id: u32,
    name: &'static str,
    city: &'static str,
    country: &'static str,
    zone: &'static str,
    opened: i64,
}

#[derive(Clone)]
struct Customer {
    id: u32,
    email: Option<String>,
    first_name: Option<&'static str>,
    last_name: Option<&'static str>,
    phone: Option<String>,
    country: &'static Country,
    city: Option<&'static str>,
    tier: &'static str,
    spend: u64,
    joined: i64,
    birthday: Option<i64>,
    zone: Option<&'static str>,
    opt_in: bool,
    sms_opt_in: Option<bool>,
    store_id: Option<u32>,
    known: Option<&'static Known>,
}

#[derive(Clone)]
struct Order {
    customer_id: u32,
    sku: String,
    quantity: u64,
    amount: u64,
    placed_at: i64,
    status: &'static str,
}

struct Wish {
    customer_id: u32,
    sku: String,
    added_at: i64,
    recipient: Option<String>,
    note: Option<&'static str>,
}

fn main() -> io::Result<()> {
    let products = products(&mut Rng(SEED + 1));
    let stores = stores(&mut Rng(SEED + 2));
    let mut customers = customers(&stores, &mut Rng(SEED + 3));
    let orders = orders(&customers, &products, &mut Rng(SEED + 4));
    settle(&mut customers, &orders, &mut Rng(SEED + 5));
    let wishes = wishes(&customers, &products, &mut Rng(SEED + 6));
    // Last, because the flaws are in what the shop knows about its people, not in what they did.
    spoil_customers(&mut customers, &mut Rng(SEED + 7));

    let folder = folder();
    fs::create_dir_all(&folder)?;
    write(&folder, "products.csv", products_csv(&products))?;
    write(&folder, "stores.csv", stores_csv(&stores))?;
    write(&folder, "customers.csv", customers_csv(&customers))?;
    write(&folder, "orders.csv", orders_csv(&orders))?;
    write(&folder, "wishlist_items.csv", wishes_csv(&wishes))
}

fn folder() -> PathBuf {
    let project = option_env!("CARGO_MANIFEST_DIR").unwrap_or(".");
    env::args_os().nth(1).map_or_else(|| Path::new(project).join("examples/shop/data"), PathBuf::from)
}

fn write(folder: &Path, name: &str, table: Csv) -> io::Result<()> {
    println!("{name:<20}{:>7} rows", table.rows);
    fs::write(folder.join(name), table.text)
}

// --- what is sold, and where --------------------------------------------------------------------

fn products(rng: &mut Rng) -> Vec<Product> {
    let mut products = Vec::new();
    for (category, letters, articles) in SHELVES {
        let variants = VARIANTS.iter().flat_map(|v| articles.iter().map(move |a| (a, v)));
        for (number, ((article, base), (variant, percent))) in variants.enumerate() {
            products.push(Product {
                sku: format!("{letters}-{:03}", number + 1),
                title: format!("{article} {variant}"),
                category,
                price: base * percent / 100 * 100 + 90,
                stock: if rng.chance(140) { 0 } else { 1 + rng.long_tail(400) },
                launched: rng.day(day(2021, 3, 1), day(2026, 9, 30)),
            });
        }
    }
    // A few can be wished for already and bought only next year.
    for _ in 0..3 {
        let coming = rng.below(products.len() as u64) as usize;
        products[coming].launched = rng.day(day(2027, 1, 4), day(2027, 3, 31));
        products[coming].stock = 0;
    }
    products
}

fn stores(rng: &mut Rng) -> Vec<Store> {
    let store = |(id, &(name, city, country)): (u32, &(&'static str, &'static str, &'static str))| Store {
        id,
        name,
        city,
        country,
        zone: country_of(country).zone,
        opened: rng.day(day(2014, 4, 1), day(2025, 10, 31)),
    };
    (1..).zip(STORES).map(store).collect()
}

fn country_of(code: &str) -> &'static Country {
    COUNTRIES.iter().find(|country| country.code == code).expect("every code used is in the list")
}

// --- people -------------------------------------------------------------------------------------

fn customers(stores: &[Store], rng: &mut Rng) -> Vec<Customer> {
    let mut addresses: HashSet<String> = KNOWN.iter().map(|known| known.email.to_owned()).collect();
    let mut phones = HashSet::new();
    (1..=CUSTOMERS)
        .map(|id| {
            let mut customer = customer(id, stores, rng);
            match KNOWN.iter().find(|known| known.id == id) {
                Some(known) => introduce(&mut customer, known, stores, rng),
                None => customer.email = Some(new_address(&customer, &mut addresses, rng)),
            }
            if rng.chance(740) {
                customer.phone = Some(new_phone(customer.country, &mut phones, rng));
            }
            customer
        })
        .collect()
}

fn customer(id: u32, stores: &[Store], rng: &mut Rng) -> Customer {
    let country = rng.weighted(COUNTRIES, |country| country.weight);
    let city = *rng.pick(country.cities);
    Customer {
        id,
        email: None,
        first_name: Some(*rng.pick(country.first)),
        last_name: Some(*rng.pick(country.last)),
        phone: None,
        country,
        city: (!rng.chance(30)).then_some(city),
        tier: "bronze",
        spend: 0,
        joined: rng.day(day(2021, 3, 1), LAST_SALE - 2),
        birthday: (!rng.chance(90)).then(|| rng.day(day(1938, 1, 1), day(2008, 10, 31))),
        zone: (!rng.chance(110)).then_some(country.zone),
        opt_in: rng.chance(830),
        sms_opt_in: (!rng.chance(200)).then(|| rng.chance(450)),
        store_id: nearest_store(stores, country, city, rng),
        known: None,
    }
}

/// Puts a person whose facts are fixed in the place of one who was drawn.
fn introduce(customer: &mut Customer, known: &'static Known, stores: &[Store], rng: &mut Rng) {
    let at = |(year, month, date)| day(year, month, date);
    customer.email = Some(known.email.to_owned());
    (customer.first_name, customer.last_name) = (Some(known.name.0), Some(known.name.1));
    customer.country = country_of(known.country);
    customer.city = Some(customer.country.cities[0]);
    customer.zone = Some(customer.country.zone);
    customer.store_id = nearest_store(stores, customer.country, customer.country.cities[0], rng);
    customer.joined = at(known.joined);
    customer.birthday = Some(at(known.birthday));
    customer.opt_in = known.opt_in;
    customer.tier = known.tier;
    customer.known = Some(known);
}

/// Most people choose a store in their city, some another one of their country, some none.
fn nearest_store(stores: &[Store], country: &Country, city: &str, rng: &mut Rng) -> Option<u32> {
    if rng.chance(120) {
        return None;
    }
    let in_city = rng.chance(850);
    let near = |s: &&Store| s.country == country.code && (!in_city || s.city == city);
    let mut choice: Vec<_> = stores.iter().filter(near).collect();
    if choice.is_empty() {
        choice = stores.iter().filter(|store| store.country == country.code).collect();
    }
    (!choice.is_empty()).then(|| rng.pick(&choice).id)
}

fn new_address(customer: &Customer, taken: &mut HashSet<String>, rng: &mut Rng) -> String {
    let name = local_part(customer, rng);
    let domain = rng.weighted(&DOMAINS, |domain| domain.1).0;
    let mut address = format!("{name}@{domain}");
    if !taken.insert(address.clone()) {
        address = format!("{name}{}@{domain}", customer.id);
        taken.insert(address.clone());
    }
    // Some type capitals; they make no other address, so this comes after the test.
    if rng.chance(20) { capitalised(&address) } else { address }
}

fn local_part(customer: &Customer, rng: &mut Rng) -> String {
    let first = plain(customer.first_name.unwrap_or_default());
    let last = plain(customer.last_name.unwrap_or_default());
    if first.is_empty() || last.is_empty() {
        return format!("client{}", customer.id);
    }
    match rng.below(20) {
        0..9 => format!("{first}.{last}"),
        9..12 => format!("{first}{last}"),
        12..15 => format!("{}.{last}", &first[..1]),
        15..18 => format!("{first}.{last}{:02}", rng.below(100)),
        18 => format!("{first}_{last}"),
        _ => format!("{first}.{last}+shop"),
    }
}

fn plain(name: &str) -> String {
    let mut letters = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '-' => letters.push(letter),
            _ => letters.push_str(names::plain_letters(letter)),
        }
    }
    letters.trim_matches('-').to_owned()
}

fn capitalised(address: &str) -> String {
    address[..1].to_uppercase() + &address[1..]
}

fn new_phone(country: &Country, taken: &mut HashSet<String>, rng: &mut Rng) -> String {
    let (prefix, digits) = country.phone;
    loop {
        let number = rng.below(10u64.pow(digits));
        let phone = format!("{prefix}{number:0width$}", width = digits as usize);
        if taken.insert(phone.clone()) {
            return phone;
        }
    }
}

// --- what people did ----------------------------------------------------------------------------

fn orders(customers: &[Customer], products: &[Product], rng: &mut Rng) -> Vec<Order> {
    let by_popularity = rng.shuffled(products);
    let mut orders = Vec::new();
    for customer in customers {
        match customer.known {
            Some(known) => orders.extend(known_orders(customer, known, &by_popularity)),
            None => orders.extend(orders_of(customer, &by_popularity, rng)),
        }
    }
    spoil_orders(&mut orders, rng);
    // Numbers are given in the order of time, as a shop does.
    orders.sort_by(|a, b| (a.placed_at, a.customer_id, &a.sku).cmp(&(b.placed_at, b.customer_id, &b.sku)));
    orders
}

/// How often people buy, in 1,000 of them: most once or twice, a few all the time.
const HABITS: [(u64, u64, u64); 8] =
    [(110, 0, 0), (230, 1, 1), (170, 2, 2), (200, 3, 4), (180, 5, 8), (82, 9, 16), (25, 17, 40), (3, 41, 110)];

fn orders_of(customer: &Customer, products: &[&Product], rng: &mut Rng) -> Vec<Order> {
    let from = FIRST_SALE.max(customer.joined + 1);
    // Half of them still buy; the others stopped at some time.
    let until = if rng.chance(520) { LAST_SALE } else { rng.day(from, LAST_SALE) };
    let &(_, least, most) = rng.weighted(&HABITS, |habit| habit.0);
    let possible = 1 + (until - from) as u64 / 4;
    let wanted = (least + rng.below(most - least + 1)).min(possible);

    let mut orders = Vec::new();
    for _ in 0..wanted {
        let at = moment(day_of_sale(from, until, rng), rng);
        orders.push(order(customer.id, products, at, rng));
        // Two things in one basket are two orders at the same instant.
        if rng.chance(60) {
            orders.push(order(customer.id, products, at, rng));
        }
    }
    orders
}

fn order(customer_id: u32, products: &[&Product], at: i64, rng: &mut Rng) -> Order {
    let today = at / DAY;
    let product = loop {
        let product = products[rng.long_tail(products.len() as u64) as usize];
        if product.launched <= today {
            break product;
        }
    };
    let quantity = rng.weighted(&[(1, 79), (2, 14), (3, 4), (5, 2), (10, 1)], |q| q.1).0;
    let percent = if rng.chance(season(today) * 8) { 80 } else { 100 };
    Order {
        customer_id,
        sku: product.sku.clone(),
        quantity,
        amount: product.price * quantity * percent / 100,
        placed_at: at,
        status: status(today, rng),
    }
}

/// The orders of a known person, spread evenly from joining to some day of the last months.
fn known_orders(customer: &Customer, known: &Known, products: &[&Product]) -> Vec<Order> {
    let on_sale = |product: &&&Product| product.launched < customer.joined;
    let product = products.iter().filter(on_sale).nth(known.id as usize % 9);
    let sku = &product.expect("many products are older than every known person's account").sku;
    let days = LAST_SALE - customer.joined - 1 - i64::from(known.id) % 150;
    let order = |(number, &amount): (i64, &u64)| Order {
        customer_id: customer.id,
        sku: sku.clone(),
        quantity: 1,
        amount,
        placed_at: (customer.joined + days * number / known.orders.len() as i64) * DAY + 17 * HOUR,
        status: "shipped",
    };
    (1..).zip(known.orders).map(order).collect()
}

fn status(placed: i64, rng: &mut Rng) -> &'static str {
    let on_its_way = placed > LAST_SALE - 5;
    let odds: &[(&str, u64)] = if on_its_way {
        &[("paid", 88), ("shipped", 7), ("cancelled", 5)]
    } else {
        &[("shipped", 86), ("paid", 3), ("returned", 7), ("cancelled", 4)]
    };
    rng.weighted(odds, |odds| odds.1).0
}

/// A day of sale, likelier in the busy weeks.
fn day_of_sale(from: i64, until: i64, rng: &mut Rng) -> i64 {
    loop {
        let day = rng.day(from, until);
        if rng.below(BUSIEST) < season(day) {
            return day;
        }
    }
}

const BUSIEST: u64 = 32;

/// How busy a day is: December, the week of Black Friday, weekends; August is quiet.
fn season(day: i64) -> u64 {
    const MONTHS: [u64; 12] = [9, 7, 8, 8, 9, 9, 7, 5, 8, 9, 12, 16];
    let (_, month, date) = date(day);
    let weekend = if weekday(day) >= 5 { 3 } else { 0 };
    match (month, date) {
        (11, 23..=30) => BUSIEST,
        (12, 24..) => 7,
        _ => MONTHS[month as usize - 1] + weekend,
    }
}

/// An instant of the day: few at night, most in the evening.
fn moment(day: i64, rng: &mut Rng) -> i64 {
    const HOURS: [u64; 24] = [2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 13, 12, 10, 9, 9, 10, 12, 15, 18, 19, 14, 8, 4];
    let hours: Vec<_> = (0..).zip(HOURS).collect();
    day * DAY + rng.weighted(&hours, |hour| hour.1).0 * HOUR + rng.below(HOUR as u64) as i64
}

/// What people spent is the sum of their orders that were neither returned nor cancelled.
fn settle(customers: &mut [Customer], orders: &[Order], rng: &mut Rng) {
    for order in orders.iter().filter(|order| matches!(order.status, "paid" | "shipped")) {
        if let Some(customer) = customers.get_mut(order.customer_id as usize - 1) {
            customer.spend += order.amount;
        }
    }
    for customer in customers.iter_mut().filter(|customer| customer.known.is_none()) {
        // The tier is reviewed once a year, so it lags behind what some have spent.
        let counted = if rng.chance(80) { customer.spend / 3 } else { customer.spend };
        customer.tier = match counted {
            100_000.. => "gold",
            30_000.. => "silver",
            _ => "bronze",
        };
    }
}

fn wishes(customers: &[Customer], products: &[Product], rng: &mut Rng) -> Vec<Wish> {
    let by_zeal = rng.shuffled(customers);
    let by_popularity = rng.shuffled(products);
    let mut seen = HashSet::new();
    let mut wishes = Vec::new();
    while wishes.len() < WISHES {
        let customer = by_zeal[rng.long_tail(CUSTOMERS.into()) as usize];
        let product = by_popularity[rng.long_tail(products.len() as u64) as usize];
        if seen.insert((customer.id, &product.sku)) {
            wishes.push(wish(customer, product, rng));
        }
    }
    spoil_wishes(&mut wishes);
    wishes.sort_by(|a, b| (a.added_at, a.customer_id, &a.sku).cmp(&(b.added_at, b.customer_id, &b.sku)));
    wishes
}

fn wish(customer: &Customer, product: &Product, rng: &mut Rng) -> Wish {
    let from = customer.joined.max(day(2024, 1, 1));
    let recipient = match rng.below(200) {
        0 => Some("grandma@@home.example".to_owned()),
        1..36 => {
            let first_name = *rng.pick(customer.country.first);
            let name = Some(plain(first_name)).filter(|name| !name.is_empty()).unwrap_or("friend".to_owned());
            let domain = rng.weighted(&DOMAINS, |domain| domain.1).0;
            Some(format!("{name}{}@{domain}", rng.below(1000)))
        }
        _ => None,
    };
    Wish {
        customer_id: customer.id,
        sku: product.sku.clone(),
        added_at: moment(rng.day(from, LAST_SALE), rng),
        recipient,
        note: rng.chance(230).then(|| *rng.pick(NOTES)),
    }
}

// --- files --------------------------------------------------------------------------------------

fn products_csv(products: &[Product]) -> Csv {
    let mut csv = Csv::new("sku,title,category,price,stock,launched");
    for p in products {
        csv.row([
            p.sku.clone(),
            p.title.clone(),
            p.category.to_owned(),
            money(p.price),
            p.stock.to_string(),
            iso_date(p.launched),
        ]);
    }
    csv
}

fn stores_csv(stores: &[Store]) -> Csv {
    let mut csv = Csv::new("id,name,city,country,zone,opened");
    for s in stores {
        csv.row([
            s.id.to_string(),
            s.name.to_owned(),
            s.city.to_owned(),
            s.country.to_owned(),
            s.zone.to_owned(),
            iso_date(s.opened),
        ]);
    }
    csv
}

fn customers_csv(customers: &[Customer]) -> Csv {
    let mut csv = Csv::new(
        "id,email,first_name,last_name,phone,country,city,tier,spend,joined,birthday,zone,opt_in,\
         sms_opt_in,store_id",
    );
    for c in customers {
        csv.row([
            c.id.to_string(),
            or_empty(c.email.as_ref()),
            or_empty(c.first_name),
            or_empty(c.last_name),
            or_empty(c.phone.as_ref()),
            c.country.code.to_owned(),
            or_empty(c.city),
            c.tier.to_owned(),
            money(c.spend),
            iso_date(c.joined),
            or_empty(c.birthday.map(iso_date)),
            or_empty(c.zone),
            c.opt_in.to_string(),
            or_empty(c.sms_opt_in),
            or_empty(c.store_id),
        ]);
    }
    csv
}

fn orders_csv(orders: &[Order]) -> Csv {
    let mut csv = Csv::new("id,customer_id,product_sku,quantity,amount,placed_at,status");
    for (id, o) in (100_001..).zip(orders) {
        csv.row([
            i32::to_string(&id),
            o.customer_id.to_string(),
            o.sku.clone(),
            o.quantity.to_string(),
            money(o.amount),
            iso_instant(o.placed_at),
            o.status.to_owned(),
        ]);
    }
    csv
}

fn wishes_csv(wishes: &[Wish]) -> Csv {
    let mut csv = Csv::new("id,customer_id,sku,added_at,recipient_email,note");
    for (id, w) in (1..).zip(wishes) {
        csv.row([
            i32::to_string(&id),
            w.customer_id.to_string(),
            w.sku.clone(),
            iso_instant(w.added_at),
            or_empty(w.recipient.as_ref()),
            or_empty(w.note),
        ]);
    }
    csv
}
