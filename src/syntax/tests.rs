use super::*;
use crate::base::SourceMap;

fn problems_of(text: &str) -> String {
    let mut map = SourceMap::new();
    let source = map.add("t.orch", text);
    let parsed = parse(source, text);
    parsed
        .problems
        .iter()
        .map(|p| {
            format!(
                "{} {}: {} ({})\n",
                p.span().map_or(String::new(), |s| map.place(s)),
                p.code,
                p.message,
                p.help.clone().unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn shop() {
    for name in ["schema", "city_event", "news", "vip", "winback"] {
        let text = std::fs::read_to_string(format!("examples/shop/{name}.orch")).unwrap();
        assert_eq!(problems_of(&text), "", "{name}");
        assert!(!parse(SourceId(0), &text).file.stmts.is_empty());
    }
}
