//! Random splits, judged by what must hold of them: conditional arms take the rows that a plain evaluator says, shares are
//! exact, arms are disjoint unless they may overlap, nothing is lost, and the same seed gives the same arms.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::data::Chance;
use crate::project::Project;

/// Rows of the table; splits take the first few of them.
const ROWS: i64 = 57;
/// Splits of one script.
const SPLITS: usize = 9;

/// A row: its key, a number that may be missing, and another.
#[derive(Clone, Copy)]
struct Row {
    id: i64,
    x: Option<i64>,
    y: i64,
}

/// An amount as written, and how many of `of` rows it is. Shares are in thousandths.
#[derive(Clone, Copy)]
enum Amount {
    Rows(i64),
    Share(i64),
}

impl Amount {
    fn text(self) -> String {
        match self {
            Amount::Rows(rows) => rows.to_string(),
            Amount::Share(thousandths) => format!("{}.{}%", thousandths / 10, thousandths % 10),
        }
    }

    fn of(self, of: usize) -> usize {
        match self {
            Amount::Rows(rows) => of.min(rows as usize),
            Amount::Share(thousandths) => portion(thousandths, of),
        }
    }
}

/// Half up.
fn portion(thousandths: i64, of: usize) -> usize {
    ((thousandths as usize * of * 2 + 1_000) / 2_000).min(of)
}

enum Arm {
    /// Rows with `x` above a number, the first so many by `y`, downwards or not, or by the key.
    Rows {
        above: Option<i64>,
        first: Option<(Amount, Option<bool>)>,
    },
    Share(i64),
    Sample(Amount),
    Otherwise,
}

struct Split {
    /// Rows with a key up to this.
    up_to: i64,
    overlapping: bool,
    arms: Vec<Arm>,
    seed: Option<u64>,
}

impl Split {
    fn random(chance: &mut Chance) -> Self {
        let mut arms = Vec::new();
        for _ in 0..chance.below(3) {
            let above = chance.one_in(2).then(|| chance.below(9) as i64);
            let amount = match chance.one_in(2) {
                true => Amount::Rows(chance.below(12) as i64),
                false => Amount::Share(chance.below(1_001) as i64),
            };
            let by = chance.one_in(2).then(|| chance.one_in(2));
            let first = (above.is_none() || chance.one_in(2)).then_some((amount, by));
            arms.push(Arm::Rows { above, first });
        }
        let mut left = 1_000;
        for _ in 0..chance.below(4) {
            let share = chance.below(left as u64 + 1) as i64;
            // A share of nothing is a mistake.
            if share > 0 {
                left -= share;
                arms.push(Arm::Share(share));
            }
        }
        if arms.is_empty() || chance.one_in(3) {
            let place = chance.at(arms.len() + 1);
            arms.insert(place, Arm::Sample(Amount::Rows(1 + chance.below(20) as i64)));
        }
        if chance.one_in(2) {
            arms.push(Arm::Otherwise);
        }
        let seed = chance.one_in(2).then(|| chance.below(5));
        Self { up_to: chance.below(ROWS as u64 + 1) as i64, overlapping: chance.one_in(3), arms, seed }
    }

    fn text(&self, name: usize) -> String {
        let arm = |(at, arm): (usize, &Arm)| {
            let takes = match arm {
                Arm::Rows { above, first } => {
                    let mut clauses = Vec::new();
                    clauses.extend(above.map(|above| format!("where x > {above}")));
                    clauses.extend(first.map(|(amount, by)| {
                        let by = by.map_or("", |down| if down { " by y desc" } else { " by y" });
                        format!("limit {}{by}", amount.text())
                    }));
                    clauses.join(" ")
                }
                Arm::Share(share) => Amount::Share(*share).text(),
                Arm::Sample(amount) => format!("sample {}", amount.text()),
                Arm::Otherwise => "otherwise".to_owned(),
            };
            format!("arm_{name}_{at}: {takes}")
        };
        let arms: Vec<String> = self.arms.iter().enumerate().map(arm).collect();
        let overlapping = if self.overlapping { " overlapping" } else { "" };
        let seed = self.seed.map_or(String::new(), |seed| format!(" seed \"s{seed}\""));
        let mut text =
            format!("split (rows where id <= {}){overlapping} into {{ {} }}{seed}\n", self.up_to, arms.join("; "));
        for at in 0..self.arms.len() {
            writeln!(text, "export arm_{name}_{at} to \"out/{name}-{at}.csv\" {{ columns: [id] }}").unwrap();
        }
        text
    }

    /// What must hold of the arms' keys; gives the rows in no arm.
    fn judge(&self, rows: &[Row], arms: &[BTreeSet<i64>]) -> usize {
        let rows: Vec<Row> = rows.iter().copied().filter(|row| row.id <= self.up_to).collect();
        let mut free: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
        for (arm, found) in self.arms.iter().zip(arms) {
            let Arm::Rows { above, first } = arm else { continue };
            let holds = |row: &&Row| above.is_none_or(|above| row.x.is_some_and(|x| x > above));
            let mut taken: Vec<&Row> =
                rows.iter().filter(|row| self.overlapping || free.contains(&row.id)).filter(holds).collect();
            if let Some((amount, by)) = first {
                // Stable: equal ones stay in the order of their keys.
                taken.sort_by_key(|row| by.map_or(0, |down| if down { -row.y } else { row.y }));
                taken.truncate(amount.of(taken.len()));
            }
            let taken: BTreeSet<i64> = taken.iter().map(|row| row.id).collect();
            assert_eq!(*found, taken, "a conditional arm");
            free.retain(|id| !taken.contains(id));
        }
        let rest = free.clone();
        let (mut shares, mut left) = (0, rest.len());
        for (arm, found) in self.arms.iter().zip(arms) {
            let wanted = match arm {
                Arm::Share(share) => {
                    let before = portion(shares, rest.len());
                    shares += share;
                    portion(shares, rest.len()) - before
                }
                Arm::Sample(amount) => amount.of(rest.len()),
                Arm::Rows { .. } | Arm::Otherwise => continue,
            };
            assert_eq!(found.len(), wanted.min(left), "a share of {} rows", rest.len());
            left -= found.len();
            assert!(found.is_subset(&free), "shares divide what is left, and are disjoint");
            free.retain(|id| !found.contains(id));
        }
        for (arm, found) in self.arms.iter().zip(arms) {
            if let Arm::Otherwise = arm {
                assert_eq!(*found, std::mem::take(&mut free), "the others");
            }
        }
        free.len()
    }
}

/// Keys by split and arm.
type Arms = BTreeMap<(usize, usize), BTreeSet<i64>>;

/// Runs a script of splits: the keys of each arm by split and place, and what each step says of rows in no arm.
fn run(project: &Project, splits: &[Split]) -> (Arms, Vec<(u64, u64)>) {
    let script: String = splits.iter().enumerate().map(|(name, split)| split.text(name)).collect();
    project.write("splits.orch", script);
    let report = project.json(&["run", "splits.orch"], 0);
    let steps = report["steps"].as_array().unwrap().iter().filter(|step| step["kind"] == "split");
    let accounts =
        steps.map(|step| (step["rows_in"].as_u64().unwrap(), step["dropped"]["remainder"].as_u64().unwrap_or(0)));
    let accounts = accounts.collect();
    let mut arms = BTreeMap::new();
    for (name, split) in splits.iter().enumerate() {
        for at in 0..split.arms.len() {
            let (_, cells) = project.cells(&format!("out/{name}-{at}.csv"));
            arms.insert((name, at), cells.iter().map(|row| row[0].parse().unwrap()).collect());
        }
    }
    (arms, accounts)
}

#[test]
fn splits_are_what_they_must_be() {
    let mut chance = Chance::new(super::number("ORCH_DIFF_SEED", 11));
    let mut differ = false;
    for _ in 0..2 {
        let rows: Vec<Row> = (1..=ROWS)
            .map(|id| Row { id, x: (!chance.one_in(5)).then(|| chance.below(10) as i64), y: chance.below(6) as i64 })
            .collect();
        let mut text = String::from("id,x,y\n");
        for Row { id, x, y } in &rows {
            writeln!(text, "{id},{},{y}", x.map_or(String::new(), |x| x.to_string())).unwrap();
        }
        let schema = "entity rows from \"rows.csv\" { id: int key; x: int?; y: int }\n";
        let manifest = "[project]\nname = \"splits\"\nschema = [\"schema.orch\"]\n";
        let project =
            || Project::empty().with("rows.csv", &text).with("schema.orch", schema).with("orch.toml", manifest);
        let mut splits: Vec<Split> = (0..SPLITS).map(|_| Split::random(&mut chance)).collect();
        let (found, accounts) = run(&project(), &splits);
        for (name, split) in splits.iter().enumerate() {
            let arms: Vec<BTreeSet<i64>> = (0..split.arms.len()).map(|at| found[&(name, at)].clone()).collect();
            let judged = std::panic::catch_unwind(|| split.judge(&rows, &arms));
            let left = judged.unwrap_or_else(|_| panic!("{}{arms:?}", split.text(name)));
            assert_eq!(accounts[name], (split.up_to as u64, left as u64), "{}", split.text(name));
        }
        // In another place and at another time the same; with another seed other shares.
        assert_eq!(run(&project(), &splits).0, found);
        for split in &mut splits {
            split.seed = Some(split.seed.map_or(7, |seed| seed + 10));
        }
        differ |= run(&project(), &splits).0 != found;
    }
    assert!(differ, "the seed decides nothing");
}
