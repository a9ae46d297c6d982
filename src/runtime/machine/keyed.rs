//! Maps whose keys are numbers, inside events. JSON has only texts for keys, and an event, whose kind is one of its
//! fields, is read as texts first.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub fn serialize<S: Serializer, V: Serialize>(map: &BTreeMap<u32, V>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(map)
}

pub fn deserialize<'d, D: Deserializer<'d>, V: DeserializeOwned>(from: D) -> Result<BTreeMap<u32, V>, D::Error> {
    let texts = BTreeMap::<String, V>::deserialize(from)?;
    let number = |(key, value): (String, V)| {
        let wrong = |error: &dyn Display| D::Error::custom(format!("`{key}` is no number of a name: {error}"));
        Ok((key.parse().map_err(|error| wrong(&error))?, value))
    };
    texts.into_iter().map(number).collect()
}
