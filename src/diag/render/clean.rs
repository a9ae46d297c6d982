//! Characters that would act on the terminal instead of being seen.

use std::borrow::Cow;

/// `text` with control characters, direction marks and other invisible characters spelled out. Newlines and tabs stay.
pub fn safe_text(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// How one character is shown.
pub(super) fn shown(character: char) -> Cow<'static, str> {
    let code = u32::from(character);
    match code {
        0x09 | 0x0A => Cow::Owned(character.into()),
        // The pictures of control characters, in the same order as the characters.
        0x00..=0x1F => Cow::Owned(char::from_u32(0x2400 + code).unwrap_or('\u{FFFD}').into()),
        0x7F => Cow::Borrowed("\u{2421}"),
        _ if is_invisible(code) => Cow::Owned(format!("<U+{code:04X}>")),
        _ => Cow::Owned(character.into()),
    }
}

/// Second control block, soft hyphen, marks of direction, joiners and separators that no reader sees.
fn is_invisible(code: u32) -> bool {
    matches!(
        code,
        0x80..=0x9F | 0xAD | 0x061C | 0x180E | 0x200B | 0x200E | 0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF
            | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F
    )
}
