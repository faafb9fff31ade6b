//! What PROTOCOL.md says there is: messages by section, codes by table.

use std::collections::BTreeSet;

use serde_json::Value;

/// One message's section.
#[derive(Debug)]
pub(crate) struct Section {
    /// The `type`s in its heading.
    pub(crate) types: Vec<String>,
    /// Its JSON.
    pub(crate) examples: Vec<Value>,
    pub(crate) text: String,
}

/// The sections below one heading of the second level, such as `From the client`.
pub(crate) fn sections(protocol: &str, chapter: &str) -> Vec<Section> {
    let (_, rest) = protocol
        .split_once(&format!("\n## {chapter}\n"))
        .unwrap_or_else(|| panic!("no chapter {chapter}"));
    let chapter = rest.split("\n## ").next().unwrap_or(rest);
    chapter.split("\n### ").skip(1).map(section).collect()
}

fn section(text: &str) -> Section {
    let (heading, body) = text.split_once('\n').expect("a heading is a line");
    let examples = body.split("```json\n").skip(1).map(|rest| {
        let block = rest.split("```").next().unwrap_or(rest);
        serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}:\n{block}"))
    });
    Section {
        types: heading.split(", ").map(str::to_owned).collect(),
        examples: examples.collect(),
        text: body.to_owned(),
    }
}

/// Codes that begin the rows of the tables in a text, but for their heads.
pub(crate) fn rows(text: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = text.lines().chain([""]).collect();
    let rows = lines.windows(2).filter(|pair| !pair[1].starts_with("|---"));
    let firsts = rows
        .map(|pair| pair[0])
        .filter(|line| line.starts_with("| `"));
    firsts
        .flat_map(|line| quoted(line.split('|').nth(1).unwrap_or_default()))
        .collect()
}

/// What stands between backticks.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}
