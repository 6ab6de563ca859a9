//! Text from outside on a page: escaped, and with every character spelled out that nobody would see
//! or that would move others about.

use std::borrow::Cow;
use std::fmt::Write as _;

use maud::{Markup, PreEscaped, Render as _, html};

/// A text as it may stand on a page. What is spelled out is set apart.
pub(super) fn text(text: &str) -> Markup {
    if !text.contains(is_hidden) {
        return html! { (text) };
    }
    let mut shown = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(start) = rest.find(is_hidden) {
        let (before, hidden) = rest.split_at(start);
        before.render_to(&mut shown);
        let end = hidden.find(|c| !is_hidden(c)).unwrap_or(hidden.len());
        shown.push_str("<span class=\"hidden-characters\">");
        shown.push_str(&spelled(&hidden[..end]));
        shown.push_str("</span>");
        rest = &hidden[end..];
    }
    rest.render_to(&mut shown);
    PreEscaped(shown)
}

/// A text for an attribute or a title, where nothing can be set apart.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "[{}]", name(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A text as the value of an attribute: the same text, and no hidden character in the page's source.
pub(super) fn attribute(text: &str) -> Markup {
    let escaped = html! { (text) };
    if !text.contains(is_hidden) {
        return escaped;
    }
    let mut written = String::with_capacity(text.len() + 64);
    for c in escaped.into_string().chars() {
        if is_hidden(c) {
            let _ = write!(written, "&#x{:X};", u32::from(c));
        } else {
            written.push(c);
        }
    }
    PreEscaped(written)
}

/// The names of some hidden characters; a run of one is counted.
fn spelled(hidden: &str) -> String {
    let mut told = String::new();
    let mut characters = hidden.chars().peekable();
    while let Some(c) = characters.next() {
        let mut times = 1_u64;
        while characters.next_if_eq(&c).is_some() {
            times += 1;
        }
        if !told.is_empty() {
            told.push(' ');
        }
        told.push_str(&name(c));
        if times > 1 {
            let _ = write!(told, "×{times}");
        }
    }
    told
}

fn name(c: char) -> String {
    match c {
        '\0' => "NUL".to_owned(),
        '\u{7}' => "BEL".to_owned(),
        '\u{8}' => "BS".to_owned(),
        '\r' => "CR".to_owned(),
        '\u{1b}' => "ESC".to_owned(),
        '\u{7f}' => "DEL".to_owned(),
        c => format!("U+{:04X}", u32::from(c)),
    }
}

/// Whether a character shows nothing of itself and acts on others: controls, marks that reorder,
/// spaces without width, tags. Joiners and variation selectors are left alone: emoji and several
/// scripts are written with them.
fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(
            c,
            '\u{00ad}'
                | '\u{061c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(from_outside: &str) -> String {
        text(from_outside).into_string()
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(
            shown("<script>alert('x' & \"y\")</script>"),
            "&lt;script&gt;alert('x' &amp; &quot;y&quot;)&lt;/script&gt;"
        );
    }

    #[test]
    fn what_acts_unseen_is_spelled_out() {
        assert_eq!(
            shown("a\u{202e}<b>\u{1b}[31m\0\0\0\r\nend\u{e0041}"),
            "a<span class=\"hidden-characters\">U+202E</span>&lt;b&gt;\
             <span class=\"hidden-characters\">ESC</span>[31m\
             <span class=\"hidden-characters\">NUL×3 CR</span>\nend\
             <span class=\"hidden-characters\">U+E0041</span>"
        );
        assert_eq!(plain("a\u{202e}b\0"), "a[U+202E]b[NUL]");
        let value = attribute("\"a\u{1b}\u{202e}&").into_string();
        assert_eq!(value, "&quot;a&#x1B;&#x202E;&amp;");
    }

    #[test]
    fn what_people_write_stays() {
        for kept in ["tab\tline\n", "naïve 日本語 עברית", "👩‍🚒 ❤️", "می‌خواهم"]
        {
            assert_eq!(shown(kept), kept);
            assert_eq!(plain(kept), kept);
        }
    }

    #[test]
    fn a_megabyte_of_nothing_to_see_is_told_in_a_few_words() {
        assert!(shown(&"\0".repeat(1 << 20)).len() < 100);
    }
}
