//! Layer 3: the standard library, written in the language and embedded.

/// Files that every program sees: name and text.
pub const PRELUDE: &[(&str, &str)] = &[
    ("stdlib/prelude.orch", include_str!("../stdlib/prelude.orch")),
    ("stdlib/channels.orch", include_str!("../stdlib/channels.orch")),
];

/// Modules that `use std.NAME` names: dotted name, file, text.
const MODULES: &[(&str, &str, &str)] = &[
    ("std.ab", "stdlib/ab.orch", include_str!("../stdlib/ab.orch")),
    ("std.calendar", "stdlib/calendar.orch", include_str!("../stdlib/calendar.orch")),
    ("std.filters", "stdlib/filters.orch", include_str!("../stdlib/filters.orch")),
    ("std.rfm", "stdlib/rfm.orch", include_str!("../stdlib/rfm.orch")),
    ("std.winback", "stdlib/winback.orch", include_str!("../stdlib/winback.orch")),
];

/// The file and text of a module, by its dotted name.
pub fn module(name: &str) -> Option<(&'static str, &'static str)> {
    MODULES.iter().find(|(known, ..)| *known == name).map(|(_, file, text)| (*file, *text))
}

/// Dotted names of all modules.
pub fn modules() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, ..)| *name)
}
