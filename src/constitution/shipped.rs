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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constitution::{ExampleVerdict, examine};

    #[test]
    fn every_shipped_constitution_is_without_fault() {
        for name in shipped_names() {
            let (constitution, problems) = examine(name).unwrap();
            assert!(problems.0.is_empty(), "{name}: {problems}");
            assert_eq!(constitution.unwrap().name(), name);
        }
    }

    #[test]
    fn every_shipped_principle_shows_a_violation() {
        for name in shipped_names() {
            let (constitution, _) = examine(name).unwrap();
            for principle in constitution.unwrap().principles() {
                let mut verdicts = principle.examples.iter().map(|example| example.verdict);
                assert!(
                    verdicts.any(|verdict| verdict == ExampleVerdict::Violates),
                    "{}",
                    principle.id
                );
            }
        }
    }

    #[test]
    fn privacy_needs_no_model_and_harmlessness_has_sixteen_principles() {
        let load = |name| examine(name).unwrap().0.unwrap();
        assert!(!load("privacy").needs_model());
        assert_eq!(load("harmlessness").principles().len(), 16);
    }
}
