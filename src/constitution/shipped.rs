//! The constitutions that come with redraft, embedded.

const SHIPPED: [(&str, &str); 5] = [
    (
        "customer-support",
        include_str!("../../constitutions/customer-support.yaml"),
    ),
    (
        "harmlessness",
        include_str!("../../constitutions/harmlessness.yaml"),
    ),
    (
        "honesty-helpfulness",
        include_str!("../../constitutions/honesty-helpfulness.yaml"),
    ),
    (
        "medical-information",
        include_str!("../../constitutions/medical-information.yaml"),
    ),
    ("privacy", include_str!("../../constitutions/privacy.yaml")),
];

/// The names of the constitutions that come with redraft.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// The text of a shipped constitution.
pub(super) fn shipped_text(name: &str) -> Option<&'static str> {
    SHIPPED
        .iter()
        .find(|(shipped, _)| *shipped == name)
        .map(|(_, text)| *text)
}
