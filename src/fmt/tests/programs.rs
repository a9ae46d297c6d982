//! Programs at random: every statement, clause and form of expression that the grammar has, in the layout of somebody who
//! does not care for it. They can be parsed; what they say is nonsense.

/// Random numbers that are the same for the same seed (xorshift), and the text so far.
pub struct Writer {
    state: u64,
    out: String,
    /// Levels of expressions and blocks that may still be opened.
    room: u32,
    /// Comments are written as well.
    comments: bool,
}

/// A program of some statements.
pub fn program(seed: u64, comments: bool) -> String {
    let mut writer =
        Writer { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, out: String::new(), room: 3, comments };
    for _ in 0..=writer.below(5) {
        writer.top();
        writer.end();
    }
    writer.out
}

/// Names: plain ones, soft words, words of statements (which are names where no statement can begin), quoted ones.
const NAMES: &[&str] = &[
    "a",
    "customers",
    "spend",
    "größe",
    "x1",
    "first",
    "gold",
    "order",
    "limit",
    "by",
    "at",
    "on",
    "set",
    "new",
    "seed",
    "segment",
    "channel",
    "send",
    "wait",
    "message",
    "given",
    "cap",
    "branch",
    "consent",
    "`first name`",
    "`where`",
];
/// Names that mean the same wherever they stand.
const PLAIN: &[&str] = &["a", "customers", "spend", "größe", "x1", "first", "gold", "`first name`"];
const LITERALS: &[&str] = &[
    "1",
    "10_000",
    "19.99",
    "1e-3",
    "10%",
    "2.5%",
    "2d",
    "1d12h",
    "15min",
    "6mo",
    "2026-11-30",
    "09:00",
    "09:00:30",
    "2026-11-30T09:00",
    "2026-11-30T09:00Z",
    "null",
    "true",
    "false",
];
const TEXTS: &[&str] = &[
    "\"text\"",
    "''",
    "'plain \"quotes\" {no hole}'",
    "\"tab \\t, quote \\\", {{braces}}, \\u{1F600}\"",
    "\"\"\"\n  two\n    lines\n  \"\"\"",
    "\"a # that is no comment\"",
];
const TYPES: &[&str] =
    &["int", "text?", "email", "\"a\" | \"b\" | \"c\"", "list of text", "list of int?", "timestamp", "topic"];

impl Writer {
    fn below(&mut self, most: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % most.max(1) as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    /// Text as it is, with a space before where the last character needs one.
    fn put(&mut self, text: &str) -> &mut Self {
        let glued = self.out.ends_with(['(', '[', '.', '\n', ' ']) || self.out.is_empty();
        let closes = text.starts_with([',', ')', ']', '.', ':', '(', ';', '?']) && text != "??";
        if !glued && (!closes || self.one_in(9)) {
            self.out.push(' ');
        }
        self.out.push_str(text);
        if self.one_in(12) {
            self.out.push_str("  ");
        }
        self
    }

    /// A new line where nobody minds one, now and then with a comment before it.
    fn wrap(&mut self) -> &mut Self {
        if self.one_in(4) {
            let ends = ["\n", "\n      ", "\r\n  ", "  # why\n", " # why\n  # and how\n    "];
            let end = self.pick(&ends[..if self.comments { 5 } else { 3 }]);
            self.out.push_str(end);
        }
        self
    }

    /// The end of a statement or item.
    fn end(&mut self) {
        let ends =
            ["\n", "\n", "\n\n", "\n\n\n\n", ";", "; ", " # why\n", "\n# about the next\n", "\n\n  ## docs\n", "\r\n"];
        let end = self.pick(&ends);
        self.out.push_str(end);
    }

    fn name(&mut self) -> &mut Self {
        let name = self.pick(NAMES);
        self.put(name)
    }

    fn plain(&mut self) -> &mut Self {
        let name = self.pick(PLAIN);
        self.put(name)
    }

    fn text(&mut self) -> &mut Self {
        let text = self.pick(TEXTS);
        self.put(text)
    }

    /// One to three of something, with commas between.
    fn list(&mut self, mut item: impl FnMut(&mut Self) -> &mut Self) -> &mut Self {
        item(self);
        for _ in 0..self.below(3) {
            self.put(",").wrap();
            item(self);
        }
        self
    }

    /// Something, or nothing.
    fn maybe(&mut self, write: impl FnOnce(&mut Self) -> &mut Self) -> &mut Self {
        if self.one_in(2) {
            write(self);
        }
        self
    }

    /// `{ item; item }`, on one line or several.
    fn braces(&mut self, mut item: impl FnMut(&mut Self) -> &mut Self) -> &mut Self {
        self.put("{");
        let several = self.one_in(2);
        for _ in 0..self.below(4) {
            self.out.push_str(if several { "\n  " } else { " " });
            item(self);
            let end = if several { self.pick(&["", ";", "  # why"][..if self.comments { 3 } else { 2 }]) } else { ";" };
            self.out.push_str(end);
        }
        self.out.push_str(if several { "\n" } else { " " });
        self.put("}")
    }

    // ------------------------------------------------------------------------------------------------ expressions

    fn query(&mut self) -> &mut Self {
        self.rate();
        for _ in 0..self.below(3) {
            self.wrap().clause();
        }
        if self.one_in(6) {
            let operator = self.pick(&["union", "intersect", "except"]);
            self.wrap().put(operator).or();
            self.maybe(|w| {
                w.put("on");
                match w.one_in(2) {
                    true => w.name(),
                    false => w.put("(").list(Self::name).put(")"),
                }
            });
        }
        self
    }

    fn rate(&mut self) -> &mut Self {
        match self.one_in(20) {
            true => self.or().put("per").add(),
            false => self.or(),
        }
    }

    fn or(&mut self) -> &mut Self {
        if self.room == 0 {
            return self.atom();
        }
        self.room -= 1;
        match self.below(9) {
            0 => self.put("if").or().wrap().put("then").or().wrap().put("else").or(),
            1..=3 => {
                self.negation();
                for _ in 0..=self.below(2) {
                    let operator = self.pick(&["and", "or"]);
                    self.wrap().put(operator).negation();
                }
                &mut *self
            }
            _ => self.negation(),
        };
        self.room += 1;
        self
    }

    fn negation(&mut self) -> &mut Self {
        if self.one_in(6) {
            self.put("not");
        }
        self.add();
        match self.below(10) {
            0 => {
                let operator = self.pick(&["=", "!=", "<", "<=", ">", ">="]);
                self.wrap().put(operator).add()
            }
            1 => self.maybe(|w| w.put("not")).put("in").put("(").or().put(",").wrap().or().put(")"),
            2 => self.maybe(|w| w.put("not")).put("in").add(),
            3 => self.maybe(|w| w.put("not")).put("between").add().wrap().put("and").add(),
            4 => self.put("is").maybe(|w| w.put("not")).put("null"),
            5 => self.put("is").put("empty"),
            6 => self.maybe(|w| w.put("not")).put("like").add(),
            _ => self,
        }
    }

    fn add(&mut self) -> &mut Self {
        self.unary();
        if self.one_in(4) {
            let operator = self.pick(&["+", "-", "??", "*", "/"]);
            self.wrap().put(operator).unary();
        }
        self
    }

    fn unary(&mut self) -> &mut Self {
        if self.one_in(12) {
            self.put("-");
        }
        self.atom();
        // A number would go on with the point.
        if self.one_in(6) && !self.out.ends_with(|c: char| c.is_ascii_digit()) {
            self.out.push('.');
            self.plain();
        }
        self
    }

    fn atom(&mut self) -> &mut Self {
        if self.room == 0 {
            return match self.one_in(2) {
                true => self.plain(),
                false => {
                    let literal = self.pick(LITERALS);
                    self.put(literal)
                }
            };
        }
        self.room -= 1;
        match self.below(10) {
            0 => {
                let literal = self.pick(LITERALS);
                self.put(literal)
            }
            1 => self.text(),
            2 => self.template(),
            3 => self.put("(").wrap().query().wrap().put(")"),
            4 => {
                self.put("[").wrap();
                self.maybe(|w| w.list(|w| w.or()).maybe(|w| w.put(",")));
                self.wrap().put("]")
            }
            5 => self.put("audience").text().put("of").plain(),
            6 => self.put("file").put("\"mail/a.html\""),
            7 | 8 => self.plain().arguments(),
            _ => self.plain(),
        };
        self.room += 1;
        self
    }

    fn arguments(&mut self) -> &mut Self {
        self.out.push('(');
        self.wrap();
        match self.below(6) {
            0 => &mut *self,
            1 => self.query(),
            2 => self.list(|w| w.or()),
            3 => self.or().put("of").query(),
            4 => self.or().put(",").or().put("of").query(),
            _ => self.list(|w| w.name().put(":").or()),
        };
        self.wrap().put(")")
    }

    /// A string with a hole, in which there may be another.
    fn template(&mut self) -> &mut Self {
        self.put("\"a ");
        for _ in 0..=self.below(2) {
            self.out.push('{');
            let before = std::mem::replace(&mut self.room, 0);
            self.atom();
            self.room = before;
            if self.one_in(3) {
                self.out.push_str(" ?? \"b {c} \\\"d\\\"\"");
            }
            self.out.push_str("} }}");
        }
        self.out.push('"');
        self
    }

    fn clause(&mut self) -> &mut Self {
        match self.below(8) {
            0 | 1 => self.put("where").or(),
            2 => self.put("with").list(|w| w.plain().put("=").or()),
            3 => self
                .put("dedupe")
                .put("by")
                .list(|w| w.or())
                .maybe(|w| w.put("keep").or())
                .maybe(|w| w.put("prefer").keys()),
            4 => self.put("order").put("by").keys(),
            5 => self.put("limit").or().maybe(|w| w.put("by").keys()),
            6 => self.put("sample").or().maybe(|w| w.put("seed").text()),
            _ if self.one_in(2) => self.put("match").plain().put("on").or(),
            _ => self.put("new").maybe(|w| w.text()).maybe(|w| w.put("by").or()),
        }
    }

    fn keys(&mut self) -> &mut Self {
        self.list(|w| w.or().maybe(|w| w.put("desc")))
    }

    fn item(&mut self) -> &mut Self {
        self.plain().put(":");
        match self.below(5) {
            0 => self.add().put("local"),
            1 => self.window(),
            _ => self.rate(),
        }
    }

    fn window(&mut self) -> &mut Self {
        self.add().put("to").add();
        match self.below(3) {
            0 => self.put("local"),
            1 => self.put("in").text(),
            _ => self,
        }
    }
}

mod statements;
