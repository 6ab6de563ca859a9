//! A list of sentences: items of a Markdown list, else paragraphs, else lines; or a JSON list of
//! texts.

use serde_json::Value;

use super::haul::{Entry, Haul, Misfit, spoken};
use super::source::Source;

pub(super) fn fits(source: &Source) -> bool {
    let is_prose = matches!(
        source.ending().as_str(),
        "md" | "markdown" | "txt" | "text" | ""
    );
    let is_texts = !source.items().is_empty() && source.items().iter().all(Value::is_string);
    is_texts || (is_prose && source.json.is_empty())
}

pub(super) fn read(source: &Source) -> Result<Haul, Misfit> {
    let mut haul = Haul::default();
    if source.json.is_empty() {
        prose(&source.text, &mut haul);
        return Ok(haul);
    }
    for (place, item) in source.list()?.iter().enumerate() {
        let place = format!("entry {}", place + 1);
        match item.as_str() {
            Some(text) => haul.entries.push(Entry {
                place,
                text: spoken(text),
                ..Entry::default()
            }),
            None => haul.leave_out("entries", "no text", &place),
        }
    }
    Ok(haul)
}

/// A piece of a page: lines that belong together.
struct Block<'t> {
    line: usize,
    is_item: bool,
    lines: Vec<&'t str>,
}

fn prose(text: &str, haul: &mut Haul) {
    let blocks = blocks(text, haul);
    let has_items = blocks.iter().any(|block| block.is_item);
    // Lines that no blank line parts are one sentence each.
    let has_one_block = blocks.len() == 1;
    for block in blocks {
        let place = format!("line {}", block.line);
        if has_items && !block.is_item {
            haul.leave_out("paragraphs", "outside the list", &place);
        } else if !has_items && has_one_block {
            for (offset, line) in block.lines.iter().enumerate() {
                haul.entries
                    .push(entry(line, format!("line {}", block.line + offset)));
            }
        } else {
            haul.entries.push(entry(&block.lines.join("\n"), place));
        }
    }
}

/// The items and paragraphs of a page; headings, fenced code, quotes and tables are left out.
fn blocks<'t>(text: &'t str, haul: &mut Haul) -> Vec<Block<'t>> {
    let mut blocks: Vec<Block<'t>> = Vec::new();
    let mut is_open = false;
    let mut is_code = false;
    for (number, line) in text.lines().enumerate() {
        let (number, place) = (number + 1, format!("line {}", number + 1));
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            if !is_code {
                haul.leave_out("code", "no sentence", &place);
            }
            is_code = !is_code;
            is_open = false;
        } else if is_code || trimmed.is_empty() || is_rule(trimmed) {
            is_open = false;
        } else if let Some(what) = furniture(trimmed) {
            haul.leave_out(what, "no sentence", &place);
            is_open = false;
        } else if let Some(item) =
            item(line).filter(|_| !line.starts_with([' ', '\t']) || blocks.is_empty())
        {
            blocks.push(Block {
                line: number,
                is_item: true,
                lines: vec![item],
            });
            is_open = true;
        } else {
            match blocks.last_mut() {
                // An indented line goes on with the item above it, blank lines between or not.
                Some(block) if is_open || (block.is_item && line.starts_with([' ', '\t'])) => {
                    block.lines.push(trimmed);
                }
                _ => blocks.push(Block {
                    line: number,
                    is_item: false,
                    lines: vec![trimmed],
                }),
            }
            is_open = true;
        }
    }
    blocks
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3
        && ["-", "*", "_", "="]
            .iter()
            .any(|sign| line.replace(*sign, "").trim().is_empty())
}

/// What a line is that holds no sentence.
fn furniture(line: &str) -> Option<&'static str> {
    let heading = line.trim_start_matches('#');
    if heading.len() < line.len() && heading.starts_with(' ') {
        return Some("headings");
    }
    match line.chars().next() {
        Some('|') => Some("tables"),
        Some('>') => Some("quotes"),
        _ if line.starts_with("<!--") => Some("comments"),
        _ => None,
    }
}

/// A list item without its mark.
fn item(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = match line.strip_prefix(['-', '*', '+']) {
        Some(rest) => rest,
        None => line
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .strip_prefix(['.', ')'])
            .filter(|_| line.starts_with(|c: char| c.is_ascii_digit()))?,
    };
    let rest = rest.strip_prefix([' ', '\t'])?.trim();
    let boxes = ["[ ] ", "[x] ", "[X] "];
    let unboxed = boxes.iter().find_map(|mark| rest.strip_prefix(mark));
    Some(unboxed.unwrap_or(rest))
}

/// A sentence; what stands in bold before it is its title.
fn entry(text: &str, place: String) -> Entry {
    let (title, text) = match bold_title(text) {
        Some((title, rest)) => (Some(title), rest),
        None => (None, text),
    };
    Entry {
        place,
        name: title.clone(),
        title,
        text: spoken(text),
        ..Entry::default()
    }
}

fn bold_title(text: &str) -> Option<(String, &str)> {
    let (title, rest) = text.trim().strip_prefix("**")?.split_once("**")?;
    let rest = rest.trim_start_matches([':', '.', '–', '—', '-', ' ', '\n']);
    let title = spoken(title.trim_end_matches([':', '.']))?;
    (!rest.is_empty()).then_some((title, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(page: &str) -> Vec<String> {
        let mut haul = Haul::default();
        prose(page, &mut haul);
        let texts = haul.entries.into_iter().filter_map(|entry| entry.text);
        texts.collect()
    }

    #[test]
    fn items_are_sentences_and_what_is_around_them_is_not() {
        let page = "# Rules\n\nWe mean these.\n\n- Be kind,\n  always.\n* [ ] Be brief.\n1. Cite.\n12) Count.\n";
        assert_eq!(
            texts(page),
            ["Be kind,\nalways.", "Be brief.", "Cite.", "Count."]
        );
        let mut haul = Haul::default();
        prose(page, &mut haul);
        let left_out: Vec<&str> = haul
            .unmapped
            .iter()
            .map(|note| note.what.as_str())
            .collect();
        assert_eq!(left_out, ["headings", "paragraphs"]);
    }

    #[test]
    fn inner_items_stay_with_their_item() {
        let page = "- Be kind:\n  - to people\n  - to animals\n- Be brief.\n";
        assert_eq!(
            texts(page),
            ["Be kind:\n- to people\n- to animals", "Be brief."]
        );
    }

    #[test]
    fn without_items_paragraphs_count_and_without_those_lines_do() {
        assert_eq!(
            texts("Be kind\nto all.\n\nBe brief.\n"),
            ["Be kind\nto all.", "Be brief."]
        );
        assert_eq!(texts("Be kind.\nBe brief.\n"), ["Be kind.", "Be brief."]);
    }

    #[test]
    fn words_in_bold_are_the_title() {
        let entry = entry("**Kindness**: Be kind.", String::new());
        assert_eq!(entry.title.as_deref(), Some("Kindness"));
        assert_eq!(entry.text.as_deref(), Some("Be kind."));
        assert_eq!(bold_title("**All of it.**"), None);
        assert_eq!(bold_title("2**3** is eight"), None);
    }

    #[test]
    fn signs_that_are_no_marks_stay() {
        assert_eq!(item("-5 is a number"), None);
        assert_eq!(item("3.5 is one, too"), None);
        assert_eq!(item("**bold**"), None);
    }
}
