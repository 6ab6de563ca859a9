//! What the words before a number say about its being a phone number.

use super::super::context::{is_one_of, label};

const CALLING: [&str; 64] = [
    "call",
    "calls",
    "called",
    "calling",
    "phone",
    "phones",
    "telephone",
    "tel",
    "mobile",
    "mob",
    "cell",
    "cellphone",
    "cellular",
    "whatsapp",
    "telegram",
    "viber",
    "wechat",
    "sms",
    "text",
    "texted",
    "texting",
    "fax",
    "dial",
    "dialing",
    "ring",
    "rang",
    "hotline",
    "helpline",
    "reach",
    "reached",
    "contact",
    "landline",
    "ph",
    "handy",
    "handynummer",
    "telefon",
    "telefonnummer",
    "rufnummer",
    "anrufen",
    "mobil",
    "téléphone",
    "telephon",
    "portable",
    "appelez",
    "téléphonez",
    "teléfono",
    "telefono",
    "móvil",
    "celular",
    "telefone",
    "llame",
    "llámame",
    "chiamare",
    "chiama",
    "cellulare",
    "telefoon",
    "mobiel",
    "телефон",
    "тел",
    "звоните",
    "whats",
    "voicemail",
    "callback",
    "imessage",
];

/// In scripts without spaces the word may be part of a longer run.
const CALLING_PARTS: [&str; 7] = ["电话", "手机", "電話", "携帯", "연락처", "전화", "โทร"];

/// What else long numbers are called.
const OTHERWISE: [&str; 102] = [
    "u32",
    "u64",
    "i32",
    "i64",
    "int",
    "const",
    "define",
    "ioctl",
    "order",
    "orders",
    "case",
    "ticket",
    "tickets",
    "reference",
    "ref",
    "refs",
    "invoice",
    "tracking",
    "tag",
    "account",
    "acct",
    "customer",
    "client",
    "booking",
    "reservation",
    "serial",
    "isbn",
    "issn",
    "ean",
    "upc",
    "gtin",
    "imei",
    "iccid",
    "sku",
    "part",
    "parts",
    "model",
    "policy",
    "claim",
    "transaction",
    "txn",
    "confirmation",
    "receipt",
    "shipment",
    "parcel",
    "contract",
    "member",
    "membership",
    "patient",
    "employee",
    "student",
    "version",
    "build",
    "batch",
    "lot",
    "item",
    "product",
    "code",
    "pin",
    "po",
    "rfc",
    "pmid",
    "doi",
    "nhs",
    "npi",
    "vin",
    "iban",
    "routing",
    "sort",
    "ssn",
    "social",
    "tax",
    "vat",
    "ein",
    "license",
    "licence",
    "passport",
    "timestamp",
    "epoch",
    "issue",
    "bug",
    "docket",
    "registration",
    "catalog",
    "catalogue",
    "barcode",
    "commit",
    "record",
    "document",
    "form",
    "permit",
    "lottery",
    "winning",
    "drawn",
    "score",
    "scores",
    "bestellung",
    "rechnung",
    "kundennummer",
    "bestellnummer",
    "uuid",
    "cve",
];

/// Who answers, in `customer service 800 555 0199`.
const SERVICES: [&str; 8] = [
    "service",
    "services",
    "support",
    "care",
    "line",
    "desk",
    "team",
    "relations",
];

/// What follows `text` where it is a verb.
const TEXTED: [&str; 8] = ["me", "us", "him", "her", "them", "at", "to", "on"];

/// Whose number is a phone number, in `my number is`.
const WHOSE: [&str; 5] = ["my", "his", "her", "our", "their"];

/// Places whose number is a phone number, in `Office #: 415-555-0134`.
const PLACES: [&str; 14] = [
    "office",
    "home",
    "work",
    "desk",
    "direct",
    "main",
    "emergency",
    "reception",
    "front",
    "free",
    "support",
    "service",
    "sales",
    "hq",
];

/// How many words back a phone number may be called one.
const REACH: usize = 6;

/// The same for a short or odd one.
const SHORT_REACH: usize = 3;

/// Whether the words, the nearest first, say that it is a number of something else.
pub(super) fn is_otherwise(words: &[&str]) -> bool {
    let label = label(words);
    let phone = label
        .noun
        .is_some_and(|noun| is_calling(noun) || is_one_of(noun, &PLACES));
    !phone && (label.numbered || label.is_one_of(&OTHERWISE))
}

/// Whether the words, the nearest first, say that it is a phone number.
pub(super) fn is_phone(words: &[&str], short: bool) -> bool {
    let reach = if short { SHORT_REACH } else { REACH };
    let mut nearer = "";
    for (&word, further) in words.iter().zip(1..=reach) {
        let whose = words
            .get(further)
            .is_some_and(|whose| is_one_of(whose, &WHOSE));
        if whose && word.eq_ignore_ascii_case("number") {
            return true;
        }
        if is_calling(word) && (!word.eq_ignore_ascii_case("text") || is_one_of(nearer, &TEXTED)) {
            return true;
        }
        // The customer of `customer service` is not what the number is of.
        if is_one_of(word, &OTHERWISE) && !is_one_of(nearer, &SERVICES) {
            return false;
        }
        nearer = word;
    }
    false
}

fn is_calling(word: &str) -> bool {
    is_one_of(word, &CALLING)
        || (!word.is_ascii() && CALLING_PARTS.iter().any(|part| word.contains(part)))
}
