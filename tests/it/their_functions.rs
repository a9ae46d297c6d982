//! Parity: every function of the product that people come from has an equivalent, in the table of `docs/functions.md`, in
//! the answer to whoever tries its name, and as a value that is right.

use orch::analysis::Workspace;

/// Functions there, and a condition with what stands for them here. Those without one are left out on purpose: the table
/// says why.
const EQUIVALENTS: &[(&str, &str)] = &[
    ("Avg", "avg(n of numbers) = 2"),
    ("Count", "count(n of numbers) = 3"),
    ("CountAll", "count(numbers) = 3"),
    ("Countdistinct", "count_distinct(word of numbers) = 2"),
    ("Max", "max(n of numbers) = 3"),
    ("Min", "min(n of numbers) = 1"),
    ("StdDev", "round(stddev(n of numbers), 3) = 1"),
    ("StringAgg", "string_agg(word, \",\" of numbers order by n) = \"a,b,a\""),
    ("Sum", "sum(n of numbers) = 6"),
    ("AddSeconds", "2026-11-30T09:00Z + 30s = 2026-11-30T09:00:30Z"),
    ("AddMinutes", "2026-11-30T09:00Z + minutes(15) = 2026-11-30T09:15Z"),
    ("AddHours", "2026-11-30T09:00Z + 3h = 2026-11-30T12:00Z"),
    ("AddDays", "2026-11-30 + days(2) = 2026-12-02"),
    ("AddMonths", "2026-08-31 + 6mo = 2027-02-28"),
    ("AddYears", "2024-02-29 + 1y = 2025-02-28"),
    ("SubSeconds", "2026-11-30T09:00Z - 30s = 2026-11-30T08:59:30Z"),
    ("SubMinutes", "2026-11-30T09:00Z - 15min = 2026-11-30T08:45Z"),
    ("SubHours", "2026-11-30T09:00Z - hours(3) = 2026-11-30T06:00Z"),
    ("SubDays", "2026-11-30 - 30d = 2026-10-31"),
    ("SubMonths", "2026-03-31 - 1mo = 2026-02-28"),
    ("SubYears", "2026-11-30 - years(10) = 2016-11-30"),
    ("SecondsDiff", "seconds_between(2026-11-30T09:00Z, 2026-11-30T09:01Z) = 60"),
    ("MinutesDiff", "minutes_between(2026-11-30T09:00Z, 2026-11-30T10:01Z) = 61"),
    ("HoursDiff", "hours_between(2026-11-30T09:00Z, 2026-12-01T10:30Z) = 25"),
    ("DaysDiff", "days_between(2026-11-30, 2026-12-02) = 2"),
    ("MonthsDiff", "months_between(2026-01-31, 2026-03-30) = 1"),
    ("YearsDiff", "years_between(1990-12-01, 2026-11-30) = 35"),
    ("DaysAgo", "today() - 90d = ago(90d)"),
    ("MonthsAgo", "today() - 3mo = ago(3mo)"),
    ("DaysAgoInt", "date_number(today() - days(0)) = date_number(today())"),
    ("YearsAgo", "years_since(today() - 5y) = 5"),
    ("DaysOld", "days_since(today() - 3d) = 3"),
    ("MonthsOld", "months_since(today() - 3mo) between 2 and 3"),
    ("YearsOld", "years_since(today() - 18y) = 18"),
    ("Year", "year(2026-11-30) = 2026"),
    ("Month", "month(2026-11-30) = 11"),
    ("Day", "day(2026-11-30) = 30"),
    ("Hour", "hour(2026-11-30T09:15Z, \"UTC\") = 9"),
    ("Minute", "minute(2026-11-30T09:15Z) = 15"),
    ("Second", "second(2026-11-30T09:15:30Z) = 30"),
    ("DayOfYear", "day_of_year(2026-02-01) = 32"),
    ("YearAndMonth", "year_month(2026-11-30) = 202611"),
    ("WeekDay", "weekday_number(2026-11-30) - 1 = 0 and weekday(2026-11-30) = monday"),
    ("GetDate", "today() = date(now())"),
    ("DateOnly", "date(2026-11-30T23:30Z, \"UTC\") = 2026-11-30"),
    ("ToDate", "to_date(\"2026-11-30\") = 2026-11-30"),
    ("ToDateTime", "to_timestamp(\"2026-11-30T09:00Z\") = 2026-11-30T09:00Z"),
    ("ToTimestamp", "to_timestamp(\"2026-11-30T09:00Z\") = 2026-11-30T09:00Z"),
    ("ToTimeZone", "time(2026-11-30T23:30Z, \"Asia/Tokyo\") = 08:30"),
    ("ConvertNTZ", "timestamp(2026-11-30, 09:00, \"Asia/Tokyo\") = 2026-11-30T00:00Z"),
    ("DateCmp", "2026-11-30 < 2026-12-01"),
    ("Oldest", "least(2026-11-30, 2026-12-01) = 2026-11-30"),
    ("TruncDate", "truncate_time(2026-11-30T09:14:59Z, 15min) = 2026-11-30T09:00Z"),
    ("TruncTime", "truncate_time(2026-11-30T09:14:59Z, 1min) = 2026-11-30T09:14Z"),
    ("TruncDateTZ", "date(2026-11-30T23:30Z, \"Asia/Tokyo\") = 2026-12-01"),
    ("TruncWeek", "start_of_week(2026-12-02) = 2026-11-30"),
    ("TruncQuarter", "start_of_quarter(2026-11-30) = 2026-10-01"),
    ("TruncYear", "start_of_year(2026-11-30) = 2026-01-01"),
    ("Distance", "round(distance_km(48.8566, 2.3522, 45.7640, 4.8357)) between 391 and 393"),
    ("Abs", "abs(-3) = 3"),
    ("Ceil", "ceil(1.2) = 2"),
    ("Floor", "floor(1.8) = 1"),
    ("Greatest", "greatest(1, 3) = 3"),
    ("Least", "least(1, 3) = 1"),
    ("Mod", "modulo(7, 3) = 1"),
    ("Percent", "share(1, 4) = 25%"),
    ("Random", "lot(\"17\", \"spring\") between 0 and 1"),
    ("Round", "round(2.349, 1) = 2.3"),
    ("Sign", "sign(-3.5) = -1"),
    ("ToDouble", "to_float(\"1e3\") = 1000"),
    ("ToInt64", "to_int(\"42\") = 42"),
    ("ToInteger", "to_int(4.9) = 4"),
    ("Trunc", "truncate(2.679, 2) = 2.67"),
    ("AllNonNull2", "not all_present(\"a\", \"\")"),
    ("AllNonNull3", "all_present(\"a\", 1, 2026-11-30)"),
    ("Ascii", "code_point(\"A\") = 65"),
    ("Char", "character(65) = \"A\""),
    ("Charindex", "position(\"Paris\", \"ri\") = 3"),
    ("dataLength", "byte_length(\"Zoë\") = 4"),
    ("Length", "length(\"Zoë\") = 3"),
    ("GetLine", "line(\"a\\nb\", 1) = \"a\""),
    ("Line", "line(\"a\\nb\", 2) = \"b\""),
    ("IfEquals", "(if 1 = 1 then \"x\" else \"y\") = \"x\""),
    ("IsMemoNull", "\"\" is empty"),
    ("MemoContains", "contains(\"a long text\", \"long\")"),
    ("JuxtWords", "join_words(\"Anna\", \"Müller\") = \"Anna Müller\""),
    ("JuxtWords3", "join_words(\"Anna\", null, \"Müller\") = \"Anna Müller\""),
    ("Left", "left(\"Paris\", 3) = \"Par\""),
    ("Right", "right(\"Paris\", 2) = \"is\""),
    ("Substring", "substring(\"Paris\", 2, 3) = \"ari\""),
    ("Lower", "lower(\"Zoë\") = \"zoë\""),
    ("Upper", "upper(\"Zoë\") = \"ZOË\""),
    ("Smart", "title_case(\"anna müller\") = \"Anna Müller\""),
    ("LPad", "pad_start(\"7\", 3, \"0\") = \"007\""),
    ("RPad", "pad_end(\"7\", 3, \".\") = \"7..\""),
    ("Ltrim", "trim_start(\"  a \") = \"a \""),
    ("Rtrim", "trim_end(\" a  \") = \" a\""),
    ("Md5Digest", "md5(\"a\") = \"0cc175b9c0f1b6a831c399e269772661\""),
    ("Sha256Digest", "left(sha256(\"a\"), 8) = \"ca978112\""),
    ("Sha512Digest", "left(sha512(\"a\"), 8) = \"1f40fc92\""),
    ("NodeValue", ""),
    ("Replace", "replace(\"a-b-c\", \"-\", \" \") = \"a b c\""),
    ("ToString", "format_number(1234.5, 2) = \"1234.50\" and to_text(12) = \"12\""),
    ("VirtualLink", "(if 1 = 2 then 7 else null) is null"),
    ("VirtualLinkStr", "(if \"a\" = \"a\" then \"k\" else null) = \"k\""),
    ("AESEncrypt", ""),
    ("Case", "(if 1 > 2 then \"a\" else if 2 > 1 then \"b\" else \"c\") = \"b\""),
    ("When", "(if 1 < 2 then \"a\" else \"b\") = \"a\""),
    ("Else", "(if 1 > 2 then \"a\" else \"b\") = \"b\""),
    ("Iif", "(if true then 1 else 2) = 1"),
    ("Decode", "(if \"a\" = \"b\" then 1 else 2) = 2"),
    ("Coalesce", "coalesce(null, 2, 3) = 2"),
    ("NoNull", "(null ?? \"\") = \"\""),
    ("IsEmptyString", "(if \"\" is empty then 1 else 2) = 1"),
    ("IsBitSet", "has_bit(5, 2)"),
    ("SetBit", "set_bit(5, 1) = 7"),
    ("ClearBit", "clear_bit(5, 0) = 4"),
    ("GetEmailDomain", "email_domain(\"Anna@Shop.test\") = \"shop.test\""),
    ("GetMirrorURL", ""),
    ("NewUUID", "uuid(\"a\") = uuid(\"a\") and uuid(\"a\") != uuid(\"b\")"),
    ("RowId", ""),
    ("ToBoolean", "to_bool(1)"),
    ("_Over_", "count(numbers dedupe by word prefer n desc) = 2"),
    ("PartitionBy", "max(n of numbers dedupe by word keep 1 prefer n desc) = 3"),
    ("OrderBy", "first(n of numbers order by word, n) = 1"),
    ("Desc", "first(n of numbers order by n desc) = 3"),
    ("RowNum", "count(numbers limit 2 by n desc) = 2"),
    // What the list lacks at its end.
    ("regular expressions", "matches(\"AB-12\", '^[A-Z]+-[0-9]+$') and extract(\"AB-12\", '[0-9]+') = \"12\""),
    ("trim", "trim(\"  a b \") = \"a b\""),
    ("concat", "concat(\"a\", 1) = \"a1\""),
    ("percentiles", "percentile(n, 50% of numbers) = 2 and median(n of numbers) = 2"),
    ("TruncMonth", "start_of_month(2026-11-30) = 2026-11-01"),
    ("week", "week(2026-11-30) = 49"),
    ("arrays", "size([1, 2]) = 2 and element([\"a\", \"b\"], 2) = \"b\" and join([\"a\", \"b\"], \"-\") = \"a-b\""),
];

/// The functions that the product really has.
fn theirs() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    EQUIVALENTS.iter().take_while(|(name, _)| *name != "regular expressions")
}

/// The table of the documentation, as text.
fn table() -> &'static str {
    include_str!("../../docs/functions.md").split("## From Adobe").nth(1).unwrap()
}

#[test]
fn each_stands_in_the_table() {
    let missing: Vec<&str> = theirs()
        .map(|(name, _)| *name)
        .filter(|name| !table().contains(&format!("`{name}`")) && !table().contains(&format!("`{name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(theirs().count(), 127);
}

#[test]
fn whoever_tries_a_name_is_told_ours() {
    let nothing: [(&str, &str); 0] = [];
    let workspace = Workspace::from_files(nothing);
    let mut silent = Vec::new();
    for (name, _) in theirs().filter(|(name, _)| !["Else", "Desc", "_Over_"].contains(name)) {
        let analysis = workspace.analyze_text("a", &format!("log \"{{{name}(1)}}\""));
        if analysis.errors().any(|problem| problem.help.is_none()) {
            silent.push(*name);
        }
    }
    assert!(silent.is_empty(), "no help for {silent:?}");
}

#[cfg(feature = "engine")]
#[test]
fn each_equivalent_is_right() {
    use crate::project::Project;
    let shown: Vec<&(&str, &str)> = EQUIVALENTS.iter().filter(|(_, condition)| !condition.is_empty()).collect();
    let lines: Vec<String> =
        shown.iter().map(|(name, condition)| format!("require {condition} else 'not as in {name}'\n")).collect();
    let schema = "entity numbers from \"numbers.csv\" { n: int key; word: text }\n";
    let project = Project::club()
        .with("numbers.csv", "n,word\n1,a\n2,b\n3,a\n")
        .with("theirs.orch", &format!("{schema}{}", lines.concat()));
    let ran = project.json(&["run", "theirs.orch", "--fast-forward"], 0);
    assert_eq!(ran["status"], "finished", "{ran}");
}
