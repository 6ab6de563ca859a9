//! The set of templates in use, and its digest.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};

use super::{
    CaiCritique, CaiRevision, CritiqueExample, CritiqueRequest, CritiqueSystem, CritiqueUser,
    Nonce, PreferenceQuestion, PreferenceSystem, PreferenceUser, PreferenceVerdict, PrincipleText,
    Prompt, PromptError, ReviseSystem, ReviseUser, RevisionRequest,
};
use crate::digest::Digest;

/// The most steps that one rendering may take: a template of ours takes hundreds.
const FUEL: u64 = 1_000_000;

/// What the names of the templates begin with that compare answers.
const COMPARING: &str = "preference-";

const SHIPPED: [(&str, &str); 12] = [
    (
        "cai-critique.txt",
        include_str!("../../prompts/cai-critique.txt"),
    ),
    (
        "cai-revision.txt",
        include_str!("../../prompts/cai-revision.txt"),
    ),
    (
        "critique-request.txt",
        include_str!("../../prompts/critique-request.txt"),
    ),
    (
        "critique-system.txt",
        include_str!("../../prompts/critique-system.txt"),
    ),
    (
        "critique-user.txt",
        include_str!("../../prompts/critique-user.txt"),
    ),
    (
        "preference-question.txt",
        include_str!("../../prompts/preference-question.txt"),
    ),
    (
        "preference-system.txt",
        include_str!("../../prompts/preference-system.txt"),
    ),
    (
        "preference-user.txt",
        include_str!("../../prompts/preference-user.txt"),
    ),
    (
        "preference-verdict.txt",
        include_str!("../../prompts/preference-verdict.txt"),
    ),
    (
        "revise-system.txt",
        include_str!("../../prompts/revise-system.txt"),
    ),
    (
        "revise-user.txt",
        include_str!("../../prompts/revise-user.txt"),
    ),
    (
        "revision-request.txt",
        include_str!("../../prompts/revision-request.txt"),
    ),
];

/// The templates in use: the shipped ones, some of them maybe replaced by files of the user's own.
#[derive(Debug)]
pub struct PromptSet {
    environment: Environment<'static>,
    digest: Digest,
    preference_digest: Digest,
}

impl PromptSet {
    /// The templates that come with redraft.
    ///
    /// # Panics
    ///
    /// Never: the shipped templates are tested.
    #[must_use]
    pub fn shipped() -> Self {
        let texts = SHIPPED.map(|(name, text)| (name, text.to_owned()));
        Self::build(texts.into()).expect("the shipped templates are well-formed")
    }

    /// The shipped templates, with those replaced that `folder` has a file for.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, is no template that redraft uses, or is not well-formed.
    pub fn with_folder(folder: &Path) -> Result<Self, PromptError> {
        let mut texts = BTreeMap::from(SHIPPED.map(|(name, text)| (name, text.to_owned())));
        let unreadable = |path: &Path, source| PromptError::Unreadable {
            path: path.to_owned(),
            source,
        };
        for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            if path.extension().is_none_or(|extension| extension != "txt") {
                continue;
            }
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(text) = name.and_then(|name| texts.get_mut(name)) else {
                let known = SHIPPED.map(|(name, _)| name).to_vec();
                return Err(PromptError::Unknown { path, known });
            };
            *text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        }
        Self::build(texts)
    }

    fn build(texts: BTreeMap<&'static str, String>) -> Result<Self, PromptError> {
        let (comparing, revising): (BTreeMap<_, _>, BTreeMap<_, _>) = texts
            .iter()
            .partition(|(name, _)| name.starts_with(COMPARING));
        let digest = Digest::of_json(&revising);
        let preference_digest = Digest::of_json(&comparing);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        for (name, text) in texts {
            environment
                .add_template_owned(name, text)
                .map_err(|source| PromptError::Template {
                    template: name.to_owned(),
                    source,
                })?;
        }
        let set = Self {
            environment,
            digest,
            preference_digest,
        };
        set.try_all()?;
        Ok(set)
    }

    /// Fills every template once, so that one that asks for what is not there fails before the
    /// first record.
    fn try_all(&self) -> Result<(), PromptError> {
        let text = "sample";
        let principle = PrincipleText {
            id: text,
            title: text,
            text,
            severity: text,
            critique: Some(text),
        };
        let example = CritiqueExample {
            principle: text.to_owned(),
            material: text.to_owned(),
            reply: text.to_owned(),
        };
        self.render(&CritiqueSystem {
            principles: vec![principle],
            examples: vec![example],
        })?;
        self.render(&CritiqueUser {
            nonce: Nonce::of(text),
            material: text,
            principles: vec![text],
            faults: &[text.to_owned()],
        })?;
        self.render(&ReviseSystem {})?;
        self.render(&ReviseUser {
            nonce: Nonce::of(text),
            material: text,
        })?;
        self.render(&CaiCritique { request: text })?;
        self.render(&CaiRevision { request: text })?;
        self.render(&CritiqueRequest { text })?;
        self.render(&RevisionRequest { text })?;
        for thinks in [true, false] {
            self.try_preferences(text, thinks)?;
        }
        Ok(())
    }

    fn try_preferences(&self, text: &str, thinks: bool) -> Result<(), PromptError> {
        self.render(&PreferenceQuestion { text })?;
        self.render(&PreferenceSystem {
            question: text,
            thinks,
        })?;
        self.render(&PreferenceUser {
            nonce: Nonce::of(text),
            material: text,
            thinks,
        })?;
        self.render(&PreferenceVerdict {})?;
        Ok(())
    }

    /// The digest of every template that revisions need.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The digest of every template that compares two answers.
    #[must_use]
    pub fn preference_digest(&self) -> Digest {
        self.preference_digest
    }

    /// Fills a context's template; white space at both ends is dropped.
    ///
    /// # Errors
    ///
    /// When the template asks for something that the context does not have.
    pub fn render<P: Prompt>(&self, prompt: &P) -> Result<String, PromptError> {
        let rendered = self
            .environment
            .get_template(P::TEMPLATE)
            .and_then(|template| template.render(Serde(prompt)));
        match rendered {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(source) => Err(PromptError::Template {
                template: P::TEMPLATE.to_owned(),
                source,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::CaiCritique;

    #[test]
    fn a_file_of_the_users_own_replaces_a_template() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("cai-critique.txt"),
            "Mind this: {{ request }}\n",
        )
        .unwrap();
        let prompts = PromptSet::with_folder(folder.path()).unwrap();
        assert_eq!(
            prompts.render(&CaiCritique { request: "be kind" }).unwrap(),
            "Mind this: be kind"
        );
        assert_ne!(prompts.digest(), PromptSet::shipped().digest());
    }

    #[test]
    fn a_stray_template_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("critiqe.txt"), "").unwrap();
        let error = PromptSet::with_folder(folder.path()).expect_err("the name is not known");
        assert!(error.to_string().contains("critiqe.txt"), "{error}");
    }

    #[test]
    fn a_template_that_asks_for_what_is_not_there_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("critique-request.txt");
        fs::write(path, "{% if false %}{{ text }}{% endif %}{{ nothing }}").unwrap();
        let error = PromptSet::with_folder(folder.path()).expect_err("it asks for nothing");
        assert!(
            error.to_string().contains("critique-request.txt"),
            "{error}"
        );
    }

    #[test]
    fn braces_in_text_are_not_a_template() {
        let prompts = PromptSet::shipped();
        let request = prompts
            .render(&CaiCritique {
                request: "{{ 7 * 7 }}",
            })
            .unwrap();
        assert_eq!(request, "{{ 7 * 7 }}");
    }
}
