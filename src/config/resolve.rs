//! Command line over environment over file over default: what was written becomes what is meant.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;

use super::file::{BatchSettings, ModelSettings, RoleSettings, SettingsFile};
use super::gateway_plan::{Offering, offered};
use super::{Environment, GatewayPlan, OneOrMany, RecipeSettings};
use crate::gateway::TlsFiles;
use crate::gateway::access::KeyFile;
use crate::model::batch::BatchOptions;
use crate::model::openai::RESERVED_FIELDS;
use crate::model::{Concurrency, ModelRole, Price, Sampling};
use crate::pipeline::Recipe;
use crate::yaml::{Problem, Problems, SourceFile, Step, locate, nearest, parse};

/// The settings file that is read when none is named.
const DEFAULT_FILE: &str = "redraft.yaml";
/// The environment variable that names the key of checkpoints.
const AUDIT_KEY: &str = "REDRAFT_AUDIT_KEY";
const DEFAULT_STORE: &str = "redraft.db";
const OPENAI: &str = "https://api.openai.com/v1";
const DEFAULT_TIMEOUT_SECONDS: u64 = 600;
const DEFAULT_CONNECT_SECONDS: u64 = 10;
const DEFAULT_IDLE_SECONDS: u64 = 60;

/// What the command line says; it wins over everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The settings file.
    pub file: Option<PathBuf>,
    /// The constitution.
    pub constitution: Option<String>,
    /// The store.
    pub store: Option<PathBuf>,
    /// The model: a name under `models`, or the name that a server knows.
    pub model: Option<String>,
    /// Where the servers are, as they were written: each may be several, with commas between.
    pub base_urls: Vec<String>,
    /// Knobs of the recipe.
    pub recipe: RecipeSettings,
    /// Sampling of every role.
    pub sampling: Sampling,
    /// A folder of templates.
    pub prompts: Option<PathBuf>,
    /// The seed.
    pub seed: Option<u64>,
    /// How many calls to one endpoint run at once.
    pub concurrency: Option<Concurrency>,
    /// Where the gateway listens.
    pub listen: Option<String>,
}

/// All settings, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The constitution: a path or a shipped name; absent when nobody chose one.
    pub constitution: Option<String>,
    /// The recipe.
    pub recipe: Recipe,
    /// The models that a role has, by their name in the settings.
    pub models: IndexMap<String, ModelPlan>,
    /// Who plays which role.
    pub roles: Vec<(ModelRole, RolePlan)>,
    /// The store's file.
    pub store: PathBuf,
    /// A folder of templates.
    pub prompts: Option<PathBuf>,
    /// The seed of every draw.
    pub seed: u64,
    /// How many calls to one endpoint run at once.
    pub concurrency: Concurrency,
    /// The gateway.
    pub gateway: GatewayPlan,
    /// The private key that signs a checkpoint when a run ends.
    pub audit_key: Option<PathBuf>,
    /// Which settings file was read.
    pub file: Option<PathBuf>,
}

/// One model, resolved.
#[derive(Clone, Debug)]
pub struct ModelPlan {
    /// The name that the server knows it by.
    pub model: String,
    /// Where its servers are, one at least.
    pub base_urls: Vec<String>,
    /// The environment variable that the key comes from.
    pub key_variable: String,
    /// How replies are held to a schema.
    pub structured: String,
    /// What its tokens cost.
    pub price: Option<Price>,
    /// Seconds that one call may take.
    pub timeout_seconds: u64,
    /// Seconds that connecting may take.
    pub connect_seconds: u64,
    /// Seconds until the reply begins; absent: as many as the whole call.
    pub first_byte_seconds: Option<u64>,
    /// Seconds that a reply which has begun may stop in between.
    pub idle_seconds: u64,
    /// The most requests in a minute.
    pub rpm: Option<u32>,
    /// The most tokens in a minute, prompts and replies together.
    pub tpm: Option<u32>,
    /// How calls go into batches, if they do.
    pub batch: Option<BatchOptions>,
}

/// One role, resolved.
#[derive(Clone, Debug)]
pub struct RolePlan {
    /// The model's name in the settings.
    pub model: String,
    /// How replies are sampled.
    pub sampling: Sampling,
}

/// The settings are wrong.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the settings {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is wrong.
    #[error(transparent)]
    Invalid(#[from] Problems),
    /// Command line or environment contradict themselves.
    #[error("{0}")]
    Contradiction(String),
}

impl Settings {
    /// Resolves the settings.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is wrong, or names something that is not there.
    pub fn resolve(overrides: Overrides, environment: &Environment) -> Result<Self, SettingsError> {
        let (file, source) = read(overrides.file.as_deref())?;
        let folder = source
            .as_ref()
            .and_then(|source| Path::new(source.name()).parent())
            .map(Path::to_path_buf)
            .unwrap_or_default();
        let beside = |path: &PathBuf| folder.join(path);
        let (models, roles) = assign(&file, source.as_ref(), &overrides, environment)?;
        let reference = |written: &String| {
            let path = folder.join(written);
            if path.is_file() {
                path.display().to_string()
            } else {
                written.clone()
            }
        };
        let constitution =
            (overrides.constitution.clone()).or_else(|| file.constitution.as_ref().map(reference));
        let store = (overrides.store.clone())
            .or_else(|| file.store.as_ref().map(beside))
            .unwrap_or_else(|| DEFAULT_STORE.into());
        let keys = file.gateway.keys.as_ref().map(beside);
        let gateway = GatewayPlan {
            keys: keys.unwrap_or_else(|| KeyFile::beside(&store)),
            pages: file.gateway.pages.unwrap_or(true),
            tls: file.gateway.tls.as_ref().map(|tls| TlsFiles {
                certificate: beside(&tls.certificate),
                key: beside(&tls.key),
            }),
            trusted: file.gateway.trusted()?,
            listen: file.gateway.address(overrides.listen.as_deref())?,
            options: file.gateway.options()?,
            offered: offered(&Offering {
                file: &file,
                source: source.as_ref(),
                overrides: &overrides,
                environment,
                constitution: constitution.as_ref(),
                reference: &reference,
                only: roles.first().and_then(|(_, role)| {
                    Some((role.model.clone(), models.get(&role.model)?.clone()))
                }),
            })?,
        };
        Ok(Self {
            constitution,
            recipe: overrides.recipe.or(file.recipe).recipe(),
            models,
            gateway,
            roles,
            store,
            prompts: overrides
                .prompts
                .or_else(|| file.prompts.as_ref().map(beside)),
            seed: overrides.seed.or(file.seed).unwrap_or(0),
            concurrency: overrides
                .concurrency
                .or(file.concurrency)
                .unwrap_or_default(),
            audit_key: environment
                .get(AUDIT_KEY)
                .map(PathBuf::from)
                .or_else(|| file.audit_key.as_ref().map(beside)),
            file: source.map(|source| source.name().into()),
        })
    }
}

impl Settings {
    /// Whether any model's calls go in batches.
    #[must_use]
    pub fn is_batched(&self) -> bool {
        self.models.values().any(|model| model.batch.is_some())
    }

    /// The same settings with every model's calls in batches, or with none's.
    #[must_use]
    pub fn batched(mut self, is_on: bool) -> Self {
        for model in self.models.values_mut() {
            model.batch = is_on.then(|| model.batch.take().unwrap_or_default());
        }
        self
    }
}

type Assigned = (IndexMap<String, ModelPlan>, Vec<(ModelRole, RolePlan)>);

/// The models that a role has, and who plays which role with which sampling.
fn assign(
    file: &SettingsFile,
    source: Option<&SourceFile>,
    overrides: &Overrides,
    environment: &Environment,
) -> Result<Assigned, SettingsError> {
    let chosen = choose(file, source, overrides, environment)?;
    let mut models = IndexMap::new();
    let mut roles = Vec::new();
    for (role, written) in chosen.roles {
        let Some(model) = chosen.models.get(&written.model) else {
            continue;
        };
        let mut own = model.sampling.clone();
        own.extra.extend(model.extra.clone());
        let sampling = overrides.sampling.clone().or(&written.sampling.or(&own));
        if !models.contains_key(&written.model) {
            models.insert(
                written.model.clone(),
                plan(&written.model, model, environment)?,
            );
        }
        roles.push((
            role,
            RolePlan {
                model: written.model,
                sampling,
            },
        ));
    }
    Ok((models, roles))
}

type Read = (SettingsFile, Option<SourceFile>);

fn read(named: Option<&Path>) -> Result<Read, SettingsError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    if named.is_none() && !path.exists() {
        return Ok((SettingsFile::default(), None));
    }
    let text = fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let source = SourceFile::new(path.display().to_string(), &text);
    let file: Option<SettingsFile> = parse(&source).map_err(Problems::from)?;
    Ok((file.unwrap_or_default(), Some(source)))
}

struct Chosen {
    models: IndexMap<String, ModelSettings>,
    roles: Vec<(ModelRole, RoleSettings)>,
}

const ROLES: [(ModelRole, &str); 3] = [
    (ModelRole::Drafter, "drafter"),
    (ModelRole::Critic, "critic"),
    (ModelRole::Reviser, "reviser"),
];

/// Which models there are, and which of them plays which role.
fn choose(
    file: &SettingsFile,
    source: Option<&SourceFile>,
    overrides: &Overrides,
    environment: &Environment,
) -> Result<Chosen, SettingsError> {
    let base_urls = addresses(&overrides.base_urls);
    let mut models = file.models.clone();
    if let Some(name) = overrides.model.as_deref() {
        let entry = models
            .entry(name.to_owned())
            .or_insert_with(|| ModelSettings {
                model: name.to_owned(),
                base_url: OneOrMany(addresses(environment.get("OPENAI_BASE_URL"))),
                ..ModelSettings::default()
            });
        if !base_urls.is_empty() {
            entry.base_url = OneOrMany(base_urls);
        }
        let roles = ROLES.map(|(role, _)| (role, RoleSettings::from(name.to_owned())));
        return Ok(Chosen {
            models,
            roles: roles.into(),
        });
    }
    if !base_urls.is_empty() {
        return Err(SettingsError::Contradiction(
            "--base-url says where a model is, but not which: add --model NAME".to_owned(),
        ));
    }
    let written = [&file.roles.drafter, &file.roles.critic, &file.roles.reviser];
    let only = (models.len() == 1)
        .then(|| models.keys().next().cloned())
        .flatten();
    let mut roles = Vec::new();
    for ((role, key), written) in ROLES.into_iter().zip(written) {
        match (written, &only) {
            (Some(written), _) => {
                known_model(file, source, key, &written.model)?;
                roles.push((role, written.clone()));
            }
            (None, Some(only)) => roles.push((role, RoleSettings::from(only.clone()))),
            (None, None) => {}
        }
    }
    Ok(Chosen { models, roles })
}

fn known_model(
    file: &SettingsFile,
    source: Option<&SourceFile>,
    role: &'static str,
    name: &str,
) -> Result<(), SettingsError> {
    if file.models.contains_key(name) {
        return Ok(());
    }
    let message = format!("the {role} is `{name}`, and no model under `models` has that name");
    let Some(source) = source else {
        return Err(SettingsError::Contradiction(message));
    };
    let problem = Problem::error(source, message).at(locate(
        source.text(),
        &[Step::Key("roles"), Step::Key(role)],
    ));
    Err(Problems::from(problem.help(known_models(file, name))).into())
}

/// The name under `models` that is nearest to `name`, or all of them.
pub(super) fn known_models(file: &SettingsFile, name: &str) -> String {
    let known = file.models.keys().map(String::as_str);
    match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// A model, resolved.
pub(super) fn plan(
    name: &str,
    settings: &ModelSettings,
    environment: &Environment,
) -> Result<ModelPlan, SettingsError> {
    if settings.model.is_empty() {
        return Err(SettingsError::Contradiction(format!(
            "the model `{name}` does not say which model it is: add `model:`, the name that its server knows"
        )));
    }
    let extra = settings.extra.keys().chain(settings.sampling.extra.keys());
    if let Some(field) = extra
        .map(String::as_str)
        .find(|field| RESERVED_FIELDS.contains(field))
    {
        return Err(SettingsError::Contradiction(format!(
            "the model `{name}` sets `{field}` under `extra`, and that field is redraft's own"
        )));
    }
    if let Some(field) = zero_limit(settings) {
        return Err(SettingsError::Contradiction(format!(
            "the model `{name}` sets `{field}` to 0, and no call could ever succeed: give a number \
             from 1, or leave it out"
        )));
    }
    let mut base_urls = addresses(&settings.base_url.0);
    if base_urls.is_empty() {
        base_urls = addresses(environment.get("OPENAI_BASE_URL"));
    }
    if base_urls.is_empty() {
        base_urls.push(OPENAI.to_owned());
    }
    Ok(ModelPlan {
        model: settings.model.clone(),
        base_urls,
        key_variable: settings
            .api_key_env
            .clone()
            .unwrap_or_else(|| "OPENAI_API_KEY".to_owned()),
        structured: settings
            .structured
            .clone()
            .unwrap_or_else(|| "auto".to_owned()),
        price: settings.price,
        timeout_seconds: settings.timeout.unwrap_or(DEFAULT_TIMEOUT_SECONDS),
        connect_seconds: settings.connect_timeout.unwrap_or(DEFAULT_CONNECT_SECONDS),
        first_byte_seconds: settings.first_byte_timeout,
        idle_seconds: settings.idle_timeout.unwrap_or(DEFAULT_IDLE_SECONDS),
        rpm: settings.rpm,
        tpm: settings.tpm,
        batch: (settings.batch.as_ref())
            .map(|batch| batch_options(name, batch))
            .transpose()?,
    })
}

/// The first limit that lets nothing through.
fn zero_limit(settings: &ModelSettings) -> Option<&'static str> {
    let limits = [
        ("timeout", settings.timeout),
        ("connect_timeout", settings.connect_timeout),
        ("first_byte_timeout", settings.first_byte_timeout),
        ("idle_timeout", settings.idle_timeout),
        ("rpm", settings.rpm.map(u64::from)),
        ("tpm", settings.tpm.map(u64::from)),
    ];
    let (field, _) = limits.into_iter().find(|(_, limit)| *limit == Some(0))?;
    Some(field)
}

/// The addresses in what was written, each once; several may stand in one text, with commas between.
fn addresses<T: AsRef<str>>(written: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in written {
        for address in text.as_ref().split(',').map(str::trim) {
            if !address.is_empty() && !found.iter().any(|known| known == address) {
                found.push(address.to_owned());
            }
        }
    }
    found
}

fn batch_options(name: &str, settings: &BatchSettings) -> Result<BatchOptions, SettingsError> {
    let wrong = |field: &str, must: &str| {
        SettingsError::Contradiction(format!(
            "`{field}` under `batch` of the model `{name}` must be {must}"
        ))
    };
    let count = |field, written: Option<usize>, default| match written {
        Some(0) => Err(wrong(field, "a whole number from 1")),
        written => Ok(written.unwrap_or(default)),
    };
    let seconds = |field, written: Option<f64>| match written.map(Duration::try_from_secs_f64) {
        Some(Ok(time)) if !time.is_zero() => Ok(Some(time)),
        Some(_) => Err(wrong(field, "a number above 0")),
        None => Ok(None),
    };
    let default = BatchOptions::default();
    let mut options = BatchOptions {
        max_requests: count("max_requests", settings.max_requests, default.max_requests)?,
        max_bytes: count("max_bytes", settings.max_bytes, default.max_bytes)?,
        ..default
    };
    if let Some(quiet) = seconds("gather_seconds", settings.gather_seconds)? {
        options = options.gathering_for(quiet);
    }
    if let Some(longest) = seconds("poll_seconds", settings.poll_seconds)? {
        options = options.polling_every(longest);
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::CritiqueStyle;

    fn resolved(
        text: &str,
        overrides: Overrides,
        environment: &[(&str, &str)],
    ) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redraft.yaml");
        fs::write(&path, text).unwrap();
        let overrides = Overrides {
            file: Some(path),
            ..overrides
        };
        let pairs = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::resolve(overrides, &Environment::from_pairs(pairs))
    }

    fn problem(text: &str) -> Problem {
        match resolved(text, Overrides::default(), &[]) {
            Err(SettingsError::Invalid(problems)) => problems.0[0].clone(),
            other => panic!("the settings are wrong, and gave {other:?}"),
        }
    }

    const TWO_MODELS: &str = "
recipe: { preset: cai, critique: false }
models:
  small: { model: qwen, base_url: http://gpu:8000/v1, sampling: { temperature: 1.0, max_tokens: 64 }, extra: { min_p: 0.05 } }
  large: { model: gpt, base_url: [https://example.com/v1], api_key_env: LARGE_KEY }
roles: { drafter: small, critic: { model: large, sampling: { temperature: 0 } }, reviser: small }
";

    #[test]
    fn roles_have_models_and_sampling_of_their_own() {
        let settings = resolved(TWO_MODELS, Overrides::default(), &[]).unwrap();
        assert_eq!(settings.recipe.critique, CritiqueStyle::None);
        let (_, drafter) = &settings.roles[0];
        assert_eq!(
            (drafter.sampling.temperature, drafter.sampling.extra.len()),
            (Some(1.0), 1)
        );
        let (_, critic) = &settings.roles[1];
        assert_eq!(
            (critic.model.as_str(), critic.sampling.temperature),
            ("large", Some(0.0))
        );
        assert_eq!(settings.models["large"].key_variable, "LARGE_KEY");
    }

    #[test]
    fn the_gateway_offers_what_is_listed_or_else_the_one_model() {
        let listed = format!(
            "{TWO_MODELS}gateway: {{ models: {{ support: {{ upstream: large, mode: observe }}, small: {{}} }} }}"
        );
        let names = |settings: &Settings| -> Vec<(String, String)> {
            let offered = settings.gateway.offered.iter();
            offered
                .map(|plan| (plan.name.clone(), plan.model.model.clone()))
                .collect()
        };
        let pair = |name: &str, model: &str| (name.to_owned(), model.to_owned());
        let settings = resolved(&listed, Overrides::default(), &[]).unwrap();
        assert_eq!(
            names(&settings),
            [pair("support", "gpt"), pair("small", "qwen")]
        );
        let settings = resolved("models: { m: { model: a } }", Overrides::default(), &[]).unwrap();
        assert_eq!(names(&settings), [pair("m", "a")]);
        assert!(
            resolved("", Overrides::default(), &[])
                .unwrap()
                .gateway
                .offered
                .is_empty()
        );
        let wrong = listed.replace("upstream: large", "upstream: larg");
        let problem = problem(&wrong);
        assert!(problem.to_string().contains("`larg`"), "{problem}");
        for (field, must) in [
            ("keep_alive_seconds: 0", "above 0"),
            ("head_bytes: 10", "at least 8192"),
        ] {
            let text = format!("gateway: {{ {field} }}");
            let error = resolved(&text, Overrides::default(), &[]).unwrap_err();
            assert!(error.to_string().contains(must), "{error}");
        }
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_defaults() {
        let environment = [("OPENAI_BASE_URL", "http://env/v1")];
        let model = || Overrides {
            model: Some("m".to_owned()),
            ..Overrides::default()
        };
        let from_env = resolved("", model(), &environment).unwrap();
        assert_eq!(from_env.models["m"].base_urls, ["http://env/v1"]);
        let given = Overrides {
            base_urls: vec!["http://flag/v1, http://two/v1".to_owned()],
            ..model()
        };
        assert_eq!(
            resolved("", given, &environment).unwrap().models["m"].base_urls,
            ["http://flag/v1", "http://two/v1"]
        );
        assert_eq!(
            resolved("", model(), &[]).unwrap().models["m"].base_urls,
            [OPENAI]
        );
    }

    #[test]
    fn a_file_of_comments_alone_is_no_settings() {
        assert_eq!(
            resolved("# later\n", Overrides::default(), &[])
                .unwrap()
                .seed,
            0
        );
        assert!(
            resolved("", Overrides::default(), &[])
                .unwrap()
                .roles
                .is_empty()
        );
    }

    #[test]
    fn wrong_settings_are_pointed_at() {
        let role = problem(&TWO_MODELS.replace("drafter: small", "drafter: smal"));
        assert_eq!(
            (role.line_column(), role.help.as_deref()),
            (Some((6, 19)), Some("did you mean `small`?"))
        );
        let field = problem("models:\n  a: { model: m, base_ulr: x }\n");
        assert_eq!(
            (field.line_column(), field.help.as_deref()),
            (Some((2, 18)), Some("did you mean `base_url`?"))
        );
        let recipe = problem("recipe: { preset: audti }\n");
        assert_eq!(recipe.help.as_deref(), Some("did you mean `audit`?"));
    }

    #[test]
    fn batches_are_switched_on_or_described() {
        let of = |batch: &str| {
            let text = format!("models: {{ a: {{ model: m, batch: {batch} }} }}");
            let settings = resolved(&text, Overrides::default(), &[])?;
            Ok::<_, SettingsError>(settings.models["a"].batch.clone())
        };
        assert_eq!(of("true").unwrap(), Some(BatchOptions::default()));
        assert_eq!(of("false").unwrap(), None);
        let described = of("{ max_requests: 10, gather_seconds: 0.5, poll_seconds: 2 }")
            .unwrap()
            .unwrap();
        assert_eq!(
            (described.max_requests, described.longest_gather),
            (10, Duration::from_secs(6))
        );
        assert_eq!(
            (described.first_poll, described.longest_poll),
            (Duration::from_secs(2), Duration::from_secs(2))
        );
        for wrong in [
            "{ max_requests: 0 }",
            "{ poll_seconds: -1 }",
            "{ gather_seconds: 0 }",
        ] {
            let error = of(wrong).unwrap_err().to_string();
            assert!(error.contains("under `batch`"), "{error}");
        }
        let unknown = problem("models:\n  a: { model: m, batch: { max_request: 1 } }\n");
        assert_eq!(
            unknown.help.as_deref(),
            Some("did you mean `max_requests`?")
        );
    }

    #[test]
    fn what_redraft_sends_itself_cannot_be_extra() {
        let text = "models: { a: { model: m, extra: { messages: [] } } }";
        let error = resolved(text, Overrides::default(), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("`messages`"), "{error}");
    }

    #[test]
    fn limits_are_taken_over_and_none_lets_nothing_through() {
        let text = "models: { a: { model: m, timeout: 9, connect_timeout: 2, first_byte_timeout: 7, \
                    idle_timeout: 3, rpm: 600, tpm: 50000 }, b: { model: m } }\n\
                    roles: { drafter: a, critic: b }";
        let models = resolved(text, Overrides::default(), &[]).unwrap().models;
        let a = &models["a"];
        assert_eq!(
            (a.timeout_seconds, a.connect_seconds, a.first_byte_seconds),
            (9, 2, Some(7))
        );
        assert_eq!((a.idle_seconds, a.rpm, a.tpm), (3, Some(600), Some(50_000)));
        let b = &models["b"];
        assert_eq!(
            (b.timeout_seconds, b.connect_seconds, b.first_byte_seconds),
            (600, 10, None)
        );
        assert_eq!((b.idle_seconds, b.rpm, b.tpm), (60, None, None));
        for field in ["timeout", "idle_timeout", "first_byte_timeout", "rpm"] {
            let text = format!("models: {{ a: {{ model: m, {field}: 0 }} }}");
            let error = resolved(&text, Overrides::default(), &[]).unwrap_err();
            assert!(
                error.to_string().contains(&format!("`{field}` to 0")),
                "{error}"
            );
        }
    }

    #[test]
    fn an_address_without_a_model_says_what_is_missing() {
        let overrides = Overrides {
            base_urls: vec!["http://gpu/v1".to_owned()],
            ..Overrides::default()
        };
        let error = resolved("", overrides, &[]).unwrap_err().to_string();
        assert!(error.contains("--model"), "{error}");
    }
}
