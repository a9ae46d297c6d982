//! What names of columns and files tell.

/// The words of a name, in lower case: `customerId` and `customer-id` are `customer`, `id`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before_lower = false;
    let mut open = false;
    for sign in name.chars() {
        if !sign.is_alphanumeric() {
            open = false;
            continue;
        }
        if !open || (sign.is_uppercase() && before_lower) {
            words.push(String::new());
        }
        open = true;
        before_lower = sign.is_lowercase();
        if let Some(word) = words.last_mut() {
            word.extend(sign.to_lowercase());
        }
    }
    words
}

fn has(name: &str, known: &[&str]) -> bool {
    words(name).iter().any(|word| known.contains(&word.as_str()))
}

fn ends(name: &str, known: &[&str]) -> bool {
    words(name).last().is_some_and(|word| known.contains(&word.as_str()))
}

/// Named like an address for email?
pub(super) fn is_email(name: &str) -> bool {
    has(name, &["email", "mail", "mailaddress", "emailaddress"])
}

/// Named like a telephone number?
pub(super) fn is_phone(name: &str) -> bool {
    has(name, &["phone", "mobile", "tel", "telephone", "cell", "msisdn", "cellphone", "handy"])
}

/// Named like a time zone?
pub(super) fn is_zone(name: &str) -> bool {
    has(name, &["zone", "timezone", "tz"])
}

/// Named like digits that are no number?
pub(super) fn is_code(name: &str) -> bool {
    has(name, &["zip", "zipcode", "postcode", "postal", "plz", "phone", "mobile", "iban", "ean", "isbn", "siret"])
}

/// Named like something that is or is not so?
pub(super) fn is_flag(name: &str) -> bool {
    let words = words(name);
    let first = words.first().map(String::as_str);
    let last = words.last().map(String::as_str);
    matches!(first, Some("is" | "has" | "can"))
        || matches!(
            last,
            Some("in" | "flag" | "enabled" | "active" | "consent" | "optin" | "subscribed" | "newsletter")
        )
}

/// Named like one of a few possibilities?
pub(super) fn is_choice(name: &str) -> bool {
    let known = ["status", "state", "type", "kind", "tier", "level", "category", "channel", "plan", "gender", "stage"];
    ends(name, &known) || ends(name, &["priority", "size", "grade", "role", "unit", "method", "source", "segment"])
}

/// Named like something of which there may always be more?
pub(super) fn is_open(name: &str) -> bool {
    let places = ["country", "city", "region", "town", "street", "language", "locale", "lang", "currency"];
    let texts =
        ["name", "title", "note", "notes", "comment", "description", "brand", "sku", "code", "id", "tag", "tags"];
    ends(name, &places) || ends(name, &texts)
}

/// How much a column's name says that it is the key of `entity`; 0 is most.
pub(super) fn key_rank(column: &str, entity: &str) -> Option<u8> {
    let column = words(column);
    let own = words(&singular(entity));
    let last = column.last().map(String::as_str)?;
    let known = ["id", "key", "uuid", "guid", "sku", "code", "no", "nr", "number", "ean", "isbn"];
    Some(match column.as_slice() {
        [id] if id == "id" => 0,
        [rest @ .., id] if id == "id" && rest == own => 1,
        [rest @ .., known_last] if rest == own && known.contains(&known_last.as_str()) => 2,
        [one] if known.contains(&one.as_str()) => 3,
        [.., _] if known.contains(&last) => 4,
        _ => return None,
    })
}

/// Is the column named after this entity: `customer_id` after `customers`?
pub(super) fn is_named_after(column: &str, entity: &str) -> bool {
    let (column, entity) = (words(column), words(&singular(entity)));
    column.split_last().is_some_and(|(_, stem)| !stem.is_empty() && stem.ends_with(&entity))
}

/// `customers` as `customer`.
pub(super) fn singular(name: &str) -> String {
    let cut = |end: &str| name.strip_suffix(end);
    if let Some(stem) = cut("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for end in ["sses", "shes", "ches", "xes"] {
        if let Some(stem) = cut(end) {
            return format!("{stem}{}", &end[..end.len() - 2]);
        }
    }
    match cut("s") {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) && !stem.is_empty() => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// A file's name as the name of an entity: `Orders-2026.csv` as `orders`.
pub(super) fn entity(stem: &str) -> String {
    let mut words = words(stem);
    while words.len() > 1 && words.last().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
        words.pop();
    }
    let name = words.join("_");
    if name.starts_with(|sign: char| sign.is_alphabetic()) { name } else { format!("rows_{name}") }
}
