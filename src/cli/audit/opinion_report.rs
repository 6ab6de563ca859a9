//! What a second critic says of a run, for people and as JSON.

use serde_json::{Map, Value, json};

use crate::audit::Estimated;
use crate::audit::rejudge::{Disagreement, Gain, Opinion, Pair, SecondOpinion, TextPlace};
use crate::cli::tables::percent;
use crate::cli::terminal::{Paint, counted, one_line, safe, thousands};
use crate::model::ModelRole;
use crate::pipeline::Pipeline;

/// A second opinion, and whose it is.
pub(super) struct Report<'a> {
    pub(super) run: &'a str,
    pub(super) pipeline: &'a Pipeline,
    pub(super) opinion: &'a SecondOpinion,
}

impl Report<'_> {
    /// The critic that assessed: its name and how it samples.
    fn critic(&self) -> Option<&Value> {
        let models = self.pipeline.provenance().models.as_ref()?;
        models.get(&ModelRole::Critic)
    }

    /// The rounds that please the critic inside the loop alone.
    fn optimising(&self) -> Vec<Gain> {
        let gains = self.opinion.gains.rounds();
        gains.filter(Gain::pleases_its_critic_alone).collect()
    }
}

/// The whole report as JSON.
pub(super) fn as_json(report: &Report<'_>) -> Value {
    let opinion = report.opinion;
    let constitution = report.pipeline.constitution();
    let principles: Map<String, Value> = opinion
        .opinions
        .principles()
        .map(|(id, pair)| (id.to_owned(), json!(pair)))
        .collect();
    let optimising: Vec<Option<u32>> = report.optimising().iter().map(|gain| gain.round).collect();
    json!({
        "run": report.run,
        "critic": report.critic(),
        "constitution": {
            "name": constitution.name(),
            "version": constitution.version(),
            "digest": constitution.digest(),
        },
        "same_constitution": opinion.other_constitutions.is_empty(),
        "transcripts": opinion.transcripts,
        "without_text": opinion.without_text,
        "texts": opinion.texts,
        "all": opinion.opinions.all(),
        "principles": principles,
        "without_verdict": opinion.opinions.unread(),
        "unmatched_principles": opinion.unmatched,
        "gains": opinion.gains.rounds().collect::<Vec<_>>(),
        "optimises_its_critic_in": optimising,
        "disagreements": opinion.disagreements,
        "worst": opinion.worst,
        "usage": opinion.usage,
        "journalled": opinion.journalled,
    })
}

/// The report for people.
pub(super) fn print(report: &Report<'_>) {
    let paint = Paint::STDOUT;
    let opinion = report.opinion;
    let critic = report.critic().and_then(|critic| critic["model"].as_str());
    let constitution = report.pipeline.constitution();
    outln!(
        "{} of run {} by {}, under {} {}",
        paint.bold("Second opinion"),
        safe(report.run),
        paint.bold(safe(critic.unwrap_or("nobody"))),
        constitution.name(),
        constitution.version(),
    );
    outln!(
        "  {}, {}",
        counted(opinion.transcripts, "transcript"),
        counted(opinion.texts, "text")
    );
    print_caveats(paint, opinion);
    print_agreement(paint, opinion);
    print_gains(paint, report);
    print_worst(paint, opinion);
}

fn print_caveats(paint: Paint, opinion: &SecondOpinion) {
    if !opinion.other_constitutions.is_empty() {
        outln!(
            "  {}",
            paint.notable(
                "the run was made under another constitution; principles are compared by their ids"
            )
        );
    }
    if !opinion.unmatched.is_empty() {
        let ids: Vec<&str> = opinion.unmatched.iter().map(String::as_str).collect();
        outln!("  not in this constitution: {}", safe(&ids.join(", ")));
    }
    let unread = opinion.opinions.unread();
    if unread > 0 {
        let what = counted(unread, "finding");
        outln!("  {what} not compared: one of the critics gave no verdict");
    }
}

fn print_agreement(paint: Paint, opinion: &SecondOpinion) {
    let all = opinion.opinions.all();
    if all.agreement.judged == 0 {
        outln!(
            "\n{} the run's own critic gave no verdicts to compare with (free text, or none)",
            paint.bold("Agreement:")
        );
        return;
    }
    let rows: Vec<(&str, Pair)> = opinion.opinions.principles().collect();
    let width = rows.iter().map(|(id, _)| id.len()).max().unwrap_or(0);
    let width = width.max("all principles".len());
    outln!("\n{}", paint.bold("Agreement"));
    let heading = format!(
        "{:<width$}{:>9}{:>8}{:>8}{:>8}{:>8}{:>9}{:>8}{:>9}",
        "principle", "findings", "both", "inside", "outside", "neither", "agree", "κ", "McNemar"
    );
    outln!("  {}", paint.dim(heading));
    for (id, pair) in rows.iter().copied().chain([("all principles", all)]) {
        let Pair { agreement, .. } = pair;
        let kappa = agreement.kappa;
        let kappa = kappa.map_or_else(|| "–".to_owned(), |kappa| format!("{kappa:.2}"));
        outln!(
            "  {:<width$}{:>9}{:>8}{:>8}{:>8}{:>8}{:>9}{kappa:>8}{:>9}",
            safe(id),
            thousands(agreement.judged),
            thousands(pair.both),
            thousands(pair.inside_only),
            thousands(pair.outside_only),
            thousands(pair.neither),
            percent(agreement.agreed, agreement.judged),
            probability(pair.mcnemar),
        );
    }
    outln!("  {}", who_flags_more(&all));
}

/// Which critic finds more, in a sentence.
fn who_flags_more(all: &Pair) -> String {
    let (more, fewer, who) = if all.inside_only >= all.outside_only {
        (all.inside_only, all.outside_only, "the run's own critic")
    } else {
        (all.outside_only, all.inside_only, "the critic outside")
    };
    let sure = if all.mcnemar < 0.05 {
        "more than chance explains"
    } else {
        "no more than chance explains"
    };
    format!(
        "{who} flags {} that the other does not, which flags {}: {sure} (p = {})",
        counted(more, "finding"),
        thousands(fewer),
        probability(all.mcnemar)
    )
}

fn print_gains(paint: Paint, report: &Report<'_>) {
    let gains: Vec<Gain> = report.opinion.gains.rounds().collect();
    if gains.is_empty() {
        return;
    }
    outln!(
        "\n{} in severity points per record, with 95 % intervals",
        paint.bold("Gain")
    );
    let heading = format!(
        "{:<10}{:>9}{:>24}{:>24}",
        "", "records", "inside", "outside"
    );
    outln!("  {}", paint.dim(heading));
    for gain in gains {
        let round = gain.round;
        let name = round.map_or_else(|| "in all".to_owned(), |round| format!("round {round}"));
        let cases = gain.outside.map_or(0, |outside| outside.cases);
        outln!(
            "  {name:<10}{:>9}{:>24}{:>24}",
            thousands(cases),
            estimated(gain.inside),
            estimated(gain.outside)
        );
    }
    for gain in report.optimising() {
        let round = gain.round;
        let what = round.map_or_else(
            || "the loop as a whole".to_owned(),
            |round| format!("round {round}"),
        );
        outln!(
            "  {}",
            paint.bad(format!(
                "{what} gains in the eyes of its own critic and not in those of the other: the loop \
                 is optimising its critic"
            ))
        );
    }
}

fn print_worst(paint: Paint, opinion: &SecondOpinion) {
    outln!(
        "\n{} {}",
        paint.bold("Disagreements:"),
        thousands(opinion.disagreements)
    );
    for one in &opinion.worst {
        print_disagreement(paint, one);
    }
    let shown = opinion.worst.len() as u64;
    if shown > 0 && shown < opinion.disagreements {
        outln!(
            "  … and {} more; -o FILE writes them all",
            thousands(opinion.disagreements - shown)
        );
    }
}

fn print_disagreement(paint: Paint, one: &Disagreement) {
    let place = match one.place {
        TextPlace::Draft => "draft".to_owned(),
        TextPlace::Revision(round) => format!("revision of round {round}"),
    };
    let last = if one.is_final {
        ", the final answer"
    } else {
        ""
    };
    outln!(
        "\n  {} in {}, {place}{last}",
        paint.bold(safe(&one.principle)),
        paint.bold(safe(one.record.as_str()))
    );
    for (who, opinion) in [("inside", &one.inside), ("outside", &one.outside)] {
        outln!("    {who}: {}", told(opinion));
        for quote in &opinion.evidence {
            outln!("      “{}”", one_line(quote, 200));
        }
    }
}

fn told(opinion: &Opinion) -> String {
    let severity = opinion.severity;
    let severity = severity.map_or_else(String::new, |severity| format!(" ({severity})"));
    let verdict = opinion.verdict;
    match opinion.explanation.as_str() {
        "" => format!("{verdict}{severity}"),
        explanation => format!("{verdict}{severity}: {}", one_line(explanation, 300)),
    }
}

fn estimated(estimated: Option<Estimated>) -> String {
    estimated.map_or_else(
        || "–".to_owned(),
        |Estimated { mean, interval, .. }| {
            format!("{mean:+.3} ({:+.3} to {:+.3})", interval.low, interval.high)
        },
    )
}

fn probability(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}
