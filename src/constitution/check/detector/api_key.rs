//! API keys: by the prefixes that issuers give them, or as a long random value behind a telling name.
//!
//! Publishable keys (`pk_live_…`), Stripe's test keys and placeholders (`sk-xxxx…`) are left alone.
//! Of `api_key = …` only the value is found, of a known prefix the whole key.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::scan::{after, before, is, joins};
use super::{assignment, prefixed};

static KNOWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        sk-[A-Za-z0-9_-]{20,}                       # OpenAI, Anthropic, OpenRouter, DeepSeek
        | (?:AKIA|ASIA)[A-Z0-9]{16}                 # AWS
        | gh[pousr]_[A-Za-z0-9]{36,}                # GitHub
        | github_pat_[A-Za-z0-9_]{36,}
        | gl(?:pat|dt|rt|ptt|cbt|oas)-[A-Za-z0-9_-]{20,}  # GitLab
        | xox[abeoprs]-[A-Za-z0-9-]{10,}            # Slack
        | xapp-[0-9]-[A-Za-z0-9-]{20,}
        | hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}
        | AIza[A-Za-z0-9_-]{35}                     # Google
        | GOCSPX-[A-Za-z0-9_-]{28}
        | ya29\.[A-Za-z0-9_-]{20,}
        | [sr]k_live_[A-Za-z0-9]{16,}               # Stripe
        | whsec_[A-Za-z0-9]{24,}
        | hf_[A-Za-z0-9]{30,}                       # Hugging Face
        | npm_[A-Za-z0-9]{36}
        | pypi-AgE[A-Za-z0-9_-]{50,}
        | SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}  # SendGrid
        | do[opr]_v1_[a-f0-9]{64}                   # DigitalOcean
        | gsk_[A-Za-z0-9]{48,}                      # Groq
        | xai-[A-Za-z0-9]{60,}
        | pplx-[A-Za-z0-9]{40,}                     # Perplexity
        | r8_[A-Za-z0-9]{37}                        # Replicate
        | nvapi-[A-Za-z0-9_-]{60,}
        | dapi[a-f0-9]{32}                          # Databricks
        | shp(?:at|ca|pa|ss)_[a-f0-9]{32}           # Shopify
        | hvs\.[A-Za-z0-9_-]{24,}                   # Vault
        | dckr_pat_[A-Za-z0-9_-]{20,}
        | lin_api_[A-Za-z0-9]{40}
        ",
    )
    .expect("the pattern is constant")
});

/// The different characters that even a short key has.
const FEWEST_CHARACTERS: usize = 8;

pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let listed = KNOWN.find_iter(text).map(|key| key.range());
    found.extend(listed.filter(|key| is_key(text, key)));
    let known = found.len();
    prefixed::find(text, found);
    assignment::find(text, found);
    if found.len() > known.max(1) {
        merge(found);
    }
}

fn is_key(text: &str, key: &Range<usize>) -> bool {
    let glued_before = is(before(text, key.start), |near| joins(near) || near == '-');
    let glued_after = is(after(text, key.end), joins);
    let key = &text[key.clone()];
    let plausible = match key.strip_prefix("sk-") {
        Some(rest) => rest.split(['-', '_']).any(assignment::is_random),
        None => true,
    };
    !glued_before && !glued_after && plausible && !is_placeholder(key)
}

fn is_placeholder(key: &str) -> bool {
    let mut seen = [false; 128];
    let start = key.len().saturating_sub(16);
    for byte in key.bytes().skip(start) {
        seen[usize::from(byte & 0x7f)] = true;
    }
    seen.iter().filter(|seen| **seen).count() < FEWEST_CHARACTERS.min(key.len())
        || ["xxxx", "XXXX", "your", "YOUR"]
            .iter()
            .any(|filler| key.contains(filler))
}

/// Sorts, and drops what overlaps a key that begins earlier or is longer.
fn merge(found: &mut Vec<Range<usize>>) {
    found.sort_by_key(|key| (key.start, usize::MAX - key.end));
    let mut end = 0;
    found.retain(|key| {
        let apart = key.start >= end;
        end = end.max(key.end);
        apart
    });
}
