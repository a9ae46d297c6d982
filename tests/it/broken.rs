//! Programs that somebody is in the middle of writing: analysis always comes back, with problems that point into the text.

use std::path::{Path, PathBuf};
use std::{fs, thread};

use orch::analysis::{Analysis, Workspace};
use orch::diag::{RenderStyle, render};

fn cases() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let folders = ["accept", "reject"].map(|folder| root.join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn analyze(text: &str) -> Analysis {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/schema.orch");
    let schema = fs::read_to_string(schema).unwrap();
    Workspace::from_files([("schema.orch", schema.as_str()), ("a.orch", text)])
        .schema(["schema.orch"])
        .analyze("a.orch")
}

fn check(text: &str) {
    let analysis = analyze(text);
    for problem in &analysis.problems {
        for label in &problem.labels {
            let file = analysis.sources.file(label.span.source);
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(start <= end && end <= file.text.len(), "{problem:?}\nin\n{text}");
            assert!(file.text.is_char_boundary(start) && file.text.is_char_boundary(end), "{problem:?}\nin\n{text}");
        }
        assert!(!problem.message.is_empty() && !problem.message.ends_with('.'), "{problem:?}");
        let drawn = render(problem, &analysis.sources, RenderStyle::default());
        assert!(drawn.contains(&problem.code.to_string()), "{drawn}");
    }
}

/// The text without its `at`th word.
fn without_word(text: &str, at: usize) -> Option<String> {
    let start = text.split_inclusive(|c: char| c.is_whitespace()).take(at).map(str::len).sum::<usize>();
    let word = text[start..].split(|c: char| c.is_whitespace()).next()?;
    (start < text.len()).then(|| format!("{}{}", &text[..start], &text[start + word.len()..]))
}

#[test]
fn programs_with_a_word_missing_have_problems_that_point_into_them() {
    let cases = cases();
    let halves = cases.chunks(cases.len().div_ceil(2)).map(<[String]>::to_vec);
    let threads: Vec<_> = halves
        .map(|half| {
            thread::spawn(move || {
                for (number, case) in half.iter().enumerate() {
                    // Every ninth word, another one in each case.
                    let words = (number % 9..).step_by(9);
                    words.map_while(|at| without_word(case, at)).for_each(|broken| check(&broken));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("analysis comes back");
    }
}

#[test]
fn programs_that_end_too_early_have_problems_that_point_into_them() {
    for (number, case) in cases().iter().enumerate() {
        let ends = (number % 41..case.len()).step_by(41).filter(|at| case.is_char_boundary(*at));
        ends.for_each(|end| check(&case[..end]));
    }
}

#[test]
fn definitions_that_multiply_end() {
    let lines = (1..40).map(|n| format!("define p{n}() {{ do p{}(); do p{}() }}\n", n + 1, n + 1));
    let text: String = lines.chain(["define p40() { log \"a\" }\ndo p1()\n".to_owned()]).collect();
    let analysis = analyze(&text);
    assert!(analysis.problems.iter().any(|problem| problem.code.name == "too_many_calls"));
    assert!(analysis.problems.iter().count() < 10);
}

#[test]
fn long_chains_of_segments_are_compared_in_time() {
    let mut text = String::from("segment s0 = customers where spend > 1\n");
    for n in 1..300 {
        let before = n - 1;
        text +=
            &format!("segment s{n} = (s{before} union s{before}) intersect s{before}\nsend email welcome to s{n}\n");
    }
    let analysis = analyze(&text);
    assert!(!analysis.problems.has_errors());
}
