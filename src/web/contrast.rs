//! Whether what the style shows can be told from what it stands on, by WCAG 2.2: 4.5 to 1 for text, and
//! 3 to 1 for pictures and the edges of fields.

use std::collections::BTreeMap;

use super::router::STYLE;

/// Ink and ground of text.
const TEXT: [(&str, &str); 26] = [
    ("ink", "paper"),
    ("ink", "card"),
    ("ink", "sunk"),
    ("soft", "paper"),
    ("soft", "card"),
    ("soft", "sunk"),
    ("link", "paper"),
    ("link", "card"),
    ("link", "sunk"),
    ("card", "link"),
    ("good", "good-ground"),
    ("good", "paper"),
    ("calm", "calm-ground"),
    ("warn", "warn-ground"),
    ("warn", "card"),
    ("warn", "paper"),
    ("warn", "sunk"),
    ("bad", "bad-ground"),
    ("bad", "card"),
    ("bad", "paper"),
    ("bad", "sunk"),
    ("card", "bad"),
    ("ink", "mark-low"),
    ("ink", "mark-medium"),
    ("ink", "mark-high"),
    ("ink", "mark-critical"),
];
const BARS: [&str; 5] = ["bar-good", "bar-calm", "bar-warn", "bar-bad", "bar-low"];
const PICTURES: [(&str, &str); 6] = [
    ("whisker", "bar-track"),
    ("whisker", "bar-good"),
    ("whisker", "bar-bad"),
    ("soft", "paper"),
    ("link", "paper"),
    ("link", "sunk"),
];

type Colours = BTreeMap<String, [f64; 3]>;

/// The colours of a block of variables, from 0 to 1.
fn colours(block: &str) -> Colours {
    block
        .lines()
        .filter_map(|line| {
            let (name, value) = line.trim().strip_prefix("--")?.split_once(": #")?;
            let channel = |at: usize| {
                let number = u8::from_str_radix(value.get(at..at + 2)?, 16).ok()?;
                Some(f64::from(number) / 255.0)
            };
            Some((name.to_owned(), [channel(0)?, channel(2)?, channel(4)?]))
        })
        .collect()
}

/// Relative luminance, as WCAG defines it.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = colour.map(|channel| {
        if channel <= 0.04045 {
            channel / 12.92
        } else {
            ((channel + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Light and dark.
fn schemes() -> [(&'static str, Colours); 2] {
    let blocks: Vec<&str> = STYLE
        .split(":root {")
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap_or_default())
        .collect();
    assert_eq!(blocks.len(), 2, "one block for light, one for dark");
    let light = colours(blocks[0]);
    let mut dark = light.clone();
    dark.extend(colours(blocks[1]));
    [("light", light), ("dark", dark)]
}

#[test]
fn the_measure_is_the_one_of_the_standard() {
    let grey = |level: f64| [level / 255.0; 3];
    assert!((contrast(grey(0.0), grey(255.0)) - 21.0).abs() < 1e-9);
    // The lightest grey that passes on white.
    assert!(contrast(grey(118.0), grey(255.0)) >= 4.5);
    assert!(contrast(grey(119.0), grey(255.0)) < 4.5);
}

#[test]
fn everything_can_be_told_from_its_ground() {
    let mut weak = Vec::new();
    for (scheme, colours) in schemes() {
        let mut check = |one: &str, other: &str, least: f64| {
            let found = contrast(colours[one], colours[other]);
            if found < least {
                weak.push(format!(
                    "{scheme}: {one} on {other} has {found:.2}, not {least}"
                ));
            }
        };
        for (ink, ground) in TEXT {
            check(ink, ground, 4.5);
        }
        for bar in BARS {
            for ground in ["bar-track", "paper", "card"] {
                check(bar, ground, 3.0);
            }
        }
        for (one, other) in PICTURES {
            check(one, other, 3.0);
        }
    }
    assert!(weak.is_empty(), "{}", weak.join("\n"));
}

#[test]
fn no_colour_is_used_that_is_not_measured_or_has_no_name() {
    let (_, rules) = STYLE.split_once("* { box-sizing").expect("the rules");
    assert!(
        !rules.contains('#') || !rules.contains(": #"),
        "a colour without a name"
    );
    let measured: Vec<&str> = TEXT
        .iter()
        .chain(&PICTURES)
        .flat_map(|(one, other)| [*one, *other])
        .chain(BARS)
        .collect();
    for used in rules.split("var(--").skip(1) {
        let name = used.split(')').next().unwrap_or_default();
        // Lines only part what stands apart without them.
        assert!(
            measured.contains(&name) || ["line", "gap", "bar-track"].contains(&name),
            "{name} is not measured"
        );
    }
}
