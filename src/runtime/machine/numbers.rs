//! Maps by number, as JSON writes them: its keys are texts, which the reader of a tagged value does not take for numbers.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

pub fn serialize<T: Serialize, S: Serializer>(map: &BTreeMap<u32, T>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(map.iter().map(|(number, value)| (number.to_string(), value)))
}

pub fn deserialize<'d, T: Deserialize<'d>, D: Deserializer<'d>>(from: D) -> Result<BTreeMap<u32, T>, D::Error> {
    let map = BTreeMap::<String, T>::deserialize(from)?;
    let number = |text: &str| text.parse().map_err(|_| Error::custom(format!("`{text}` is no number")));
    map.into_iter().map(|(text, value)| Ok((number(&text)?, value))).collect()
}
