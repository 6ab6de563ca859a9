//! What the environment wishes for.

/// The variable that says whether texts are sent.
const CAPTURE: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
/// The variables that name a collector.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
/// The variables that choose a protocol, the more specific first.
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
/// The only protocol that is spoken.
const SPOKEN: &str = "http/protobuf";

/// What the environment wishes for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing is sent.
    Nothing,
    /// Spans are sent; with texts or without.
    Spans { texts: bool },
    /// Spans were to be sent by a protocol that is not spoken.
    Unspoken { protocol: String },
}

/// What these variables wish for. Values are read without regard to case, and empty ones are absent,
/// as OpenTelemetry has it.
pub(super) fn wish(variable: impl Fn(&str) -> Option<String>) -> Wish {
    let read = |name: &str| {
        let value = variable(name)?.trim().to_ascii_lowercase();
        (!value.is_empty()).then_some(value)
    };
    let is_off = read("OTEL_SDK_DISABLED").is_some_and(|value| value == "true")
        || read("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    let is_wished = ENDPOINTS.iter().any(|name| read(name).is_some())
        || read("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "otlp");
    if is_off || !is_wished {
        return Wish::Nothing;
    }
    match PROTOCOLS.iter().find_map(|name| read(name)) {
        Some(protocol) if protocol != SPOKEN => Wish::Unspoken { protocol },
        _ => Wish::Spans {
            texts: read(CAPTURE)
                .is_some_and(|value| !matches!(value.as_str(), "false" | "no_content" | "0")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Wish {
        wish(|name| {
            let pair = pairs.iter().find(|(known, _)| *known == name)?;
            Some(pair.1.to_owned())
        })
    }

    #[test]
    fn nothing_is_sent_unless_a_collector_is_named() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert_eq!(of(&[]), Wish::Nothing);
        assert_eq!(of(&[endpoint]), Wish::Spans { texts: false });
        assert_eq!(of(&[(ENDPOINTS[1], " ")]), Wish::Nothing);
        assert_eq!(
            of(&[("OTEL_TRACES_EXPORTER", "otlp")]),
            Wish::Spans { texts: false }
        );
        assert_eq!(
            of(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]),
            Wish::Nothing
        );
        assert_eq!(
            of(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]),
            Wish::Nothing
        );
    }

    #[test]
    fn texts_are_sent_only_where_that_is_said() {
        let endpoint = (ENDPOINTS[0], "http://localhost:4318/v1/traces");
        for (value, texts) in [
            ("true", true),
            ("SPAN_AND_EVENT", true),
            ("EVENT_ONLY", true),
            ("false", false),
            ("NO_CONTENT", false),
            ("", false),
        ] {
            assert_eq!(of(&[endpoint, (CAPTURE, value)]), Wish::Spans { texts });
        }
    }

    #[test]
    fn a_protocol_that_is_not_spoken_is_named() {
        let endpoint = (ENDPOINTS[1], "http://localhost:4317");
        let protocol = "grpc".to_owned();
        assert_eq!(
            of(&[endpoint, (PROTOCOLS[1], "grpc")]),
            Wish::Unspoken { protocol }
        );
        let specific = [endpoint, (PROTOCOLS[1], "grpc"), (PROTOCOLS[0], SPOKEN)];
        assert_eq!(of(&specific), Wish::Spans { texts: false });
    }
}
