//! Statements at random.

use super::{TYPES, Writer};

impl Writer {
    /// A statement of a file.
    pub(super) fn top(&mut self) -> &mut Self {
        match self.below(4) {
            0 | 1 => self.declaration(),
            _ => self.statement(),
        }
    }

    fn declaration(&mut self) -> &mut Self {
        match self.below(12) {
            0 => self.put("use").maybe_alias(),
            1 => self.entity(),
            2 => self.put("topic").plain().maybe(|w| w.text()).maybe(|w| w.put("(").put("consent: a").put(")")),
            3 => self.put("channel").plain().braces(|w| w.plain().put(":").ty()),
            4 => {
                self.put("message").plain().plain().maybe(|w| w.params()).maybe(|w| w.put("of").plain());
                self.maybe(|w| w.put("with").braces(|w| w.plain().put(":").ty())).braces(Self::item)
            }
            5 => self.put("policy").plain().maybe(|w| w.put("extends").plain()).braces(|w| w.rule()),
            6 => self.put("signal").plain().maybe(|w| w.params()),
            7 | 8 => self.define(),
            9 => self.campaign(),
            10 => self.put("param").param(),
            _ => self.test(),
        }
    }

    fn maybe_alias(&mut self) -> &mut Self {
        match self.one_in(2) {
            true => self.put("\"lib/a.orch\""),
            false => self.put("std.rfm").maybe(|w| w.put("as").plain()),
        }
    }

    fn ty(&mut self) -> &mut Self {
        let ty = self.pick(TYPES);
        self.put(ty)
    }

    fn param(&mut self) -> &mut Self {
        self.plain().put(":");
        match self.below(6) {
            0 => self.put("segment of").plain().maybe(|w| w.put("with").braces(|w| w.plain().put(": int"))),
            1 => self.put("message for").plain(),
            2 => self.put("delivery of").plain(),
            _ => self.ty().maybe(|w| w.put("=").or()),
        }
    }

    fn params(&mut self) -> &mut Self {
        self.put("(").wrap().list(|w| w.param()).maybe(|w| w.put(",")).wrap().put(")")
    }

    fn entity(&mut self) -> &mut Self {
        self.put("entity").plain();
        self.maybe(|w| {
            match w.one_in(2) {
                true => w.put("from \"data/a-*.csv\""),
                false => w.put("from crm.a.b"),
            };
            w.maybe(|w| w.put("(").list(Self::item).put(")"))
        });
        self.braces(|w| match w.below(7) {
            0 => w.plain().put(": one").plain().put("by").name(),
            1 => w.plain().put(": many").plain().put("by (").list(|w| w.name()).put(")"),
            2 => w.put("consent email =").or(),
            3 => w.put("person =").or(),
            _ => w.name().put(":").ty().maybe(|w| w.put("key")).maybe(|w| w.put("=").or()),
        })
    }

    fn rule(&mut self) -> &mut Self {
        match self.below(4) {
            0 => self.put("cap").plain().add().put("per").add(),
            1 => self.put("quiet").plain().window().maybe(|w| w.put("drop")),
            2 => self.put("window").plain().window(),
            _ => self.put("holdout").add().maybe(|w| w.put("seed").text()),
        }
    }

    fn define(&mut self) -> &mut Self {
        self.put("define").plain().maybe(|w| w.params()).maybe(|w| w.put("of").plain());
        match self.below(5) {
            0 => self.block(),
            1 => self.put(": text = builtin \"upper\""),
            _ => self.maybe(|w| w.put(":").ty()).put("=").wrap().query(),
        }
    }

    fn campaign(&mut self) -> &mut Self {
        self.put("campaign").plain().maybe(|w| w.params());
        for _ in 0..self.below(4) {
            self.wrap();
            let part = [
                "every 15min",
                "every day at 09:00",
                "every weekday at 09:00, 17:30",
                "every monday, thursday at 09:00",
                "every 2w on monday at 09:00",
                "every month on day 1 at 08:00",
                "every month on last friday at 08:00",
                "cron \"0 9 * * 1-5\"",
                "in \"Europe/Paris\"",
                "from 2026-12-01",
                "until 2027-02-28",
                "on signal a",
                "on error pause",
                "overlap queue by a",
                "overlap skip",
            ];
            let part = self.pick(&part);
            self.put(part);
        }
        self.wrap().block()
    }

    fn test(&mut self) -> &mut Self {
        self.put("test").text().braces(|w| match w.below(9) {
            0 => w.put("given").plain().put("[").list(|w| w.braces(Self::item)).put("]"),
            1 => w.put("at").or(),
            2 => w.put("run").plain().maybe(|w| w.arguments()),
            3 => w.put("advance").or(),
            4 => w.put("feedback opened").maybe(|w| w.put("of").plain()).put("for").query(),
            5 => w.put("decide yes").maybe(|w| w.put("for").text()),
            6 => w.put("signal").plain().arguments(),
            7 => w.put("log").text(),
            _ => w.put("expect").or(),
        })
    }

    fn block(&mut self) -> &mut Self {
        if self.room == 0 {
            return self.put("{ stop }");
        }
        self.room -= 1;
        self.braces(Self::statement);
        self.room += 1;
        self
    }

    fn within(&mut self) -> &mut Self {
        self.maybe(|w| w.wrap().put("within").or()).maybe(|w| w.wrap().put("else").block())
    }

    fn statement(&mut self) -> &mut Self {
        match self.below(4) {
            0 => self.control(),
            1 => self.writing(),
            2 => self.telling(),
            _ => match self.below(3) {
                0 => self.put("segment").plain().put("=").wrap().query(),
                1 => self.put("let").plain().maybe(|w| w.put(":").ty()).put("=").wrap().query(),
                _ => {
                    self.put("send email").maybe(|w| w.plain().maybe(|w| w.arguments())).put("to").query();
                    self.maybe(|w| w.braces(Self::item)).maybe(|w| w.put("as").plain())
                }
            },
        }
    }

    fn control(&mut self) -> &mut Self {
        match self.below(8) {
            0 => self.split(),
            1 => self.put("wait").or(),
            2 => match self.one_in(3) {
                true => self.put("wait until monday at").add(),
                false => self.put("wait until").or().within(),
            },
            3 => {
                self.put("wait for signal").plain().maybe(|w| w.put("as").plain());
                self.maybe(|w| w.wrap().put("where").or()).within()
            }
            4 => {
                self.put("if").or().block();
                for _ in 0..self.below(2) {
                    self.put("else if").or().block();
                }
                self.maybe(|w| w.put("else").block())
            }
            5 => self.put("parallel").braces(|w| w.put("branch").text().block()),
            6 => {
                self.put("repeat").add().put("times").maybe(|w| w.put("every").add());
                self.maybe(|w| w.put("until").or()).block()
            }
            _ => self.put("for").plain().put("in").or().block(),
        }
    }

    fn split(&mut self) -> &mut Self {
        self.put("split").query().maybe(|w| w.put("overlapping")).put("into").braces(|w| {
            w.plain().put(":");
            match w.below(4) {
                0 => w.put("otherwise"),
                1 => w.put("12.5%"),
                _ => w.clause().maybe(|w| w.wrap().clause()),
            }
        });
        self.maybe(|w| w.put("seed").text())
    }

    fn telling(&mut self) -> &mut Self {
        match self.below(9) {
            0 => self.put("approve").or().maybe(|w| w.put("by").or()).within(),
            1 => self.put("task").or().maybe(|w| w.put("for").or()).within(),
            2 => self.put("alert").or().put("to").plain(),
            3 => self.put("emit").plain().maybe(|w| w.arguments()),
            4 => self.put("log").or(),
            5 => self.put("require").or().maybe(|w| w.wrap().put("else").text()),
            6 => self.put("stop").maybe(|w| w.text()),
            7 => self.put("fail").maybe(|w| w.text()),
            _ => self.put("do").plain().maybe(|w| w.arguments()),
        }
    }

    fn writing(&mut self) -> &mut Self {
        match self.below(8) {
            0 => self.put("save").query().put("as audience").or(),
            1 => self.put("export").query().put("to").or().maybe(|w| w.braces(Self::item)),
            2 => self.put("update").query().wrap().settings(),
            3 => self.put("upsert").query().put("into").plain().put("on").or().wrap().settings(),
            4 => self.put("insert").query().put("into").plain().wrap().settings(),
            5 => self.put("delete").query(),
            6 => self.put("subscribe").query().put("to").or(),
            _ => self.put("unsubscribe").query().put("from").or(),
        }
    }

    fn settings(&mut self) -> &mut Self {
        self.put("set").list(|w| w.plain().put("=").or())
    }
}
