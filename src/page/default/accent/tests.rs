use super::*;
use crate::page::default::look::STYLE;

fn color(text: &str) -> Color {
    Color::parse(text).unwrap()
}

/// Returns the values of a property in a style sheet, in the order in which they stand.
fn values<'s>(style: &'s str, property: &str) -> Vec<&'s str> {
    let start = format!("  {property}: ");
    let values = style.split(&*start).skip(1);
    values.map(|rest| rest.split(';').next().unwrap()).collect()
}

#[test]
fn contrast_is_that_of_wcag() {
    let cases = [
        ("#000000", "#ffffff", "21.00:1"),
        ("#ffffff", "#ffffff", "1.00:1"),
        // The greys between which the border for text on white lies.
        ("#767676", "#ffffff", "4.54:1"),
        ("#777777", "#ffffff", "4.47:1"),
        ("#e65100", "#ffffff", "3.78:1"),
        ("#ff0000", "#0000ff", "2.14:1"),
    ];
    for (one, other, want) in cases {
        assert_eq!(shown(color(one).contrast(color(other))), want, "{one}");
        assert_eq!(shown(color(other).contrast(color(one))), want, "{one}");
    }
}

#[test]
fn a_theme_has_the_colour_or_the_nearest_tone_that_can_be_read() {
    let cases = [
        // (set, light, dark)
        ("#e65100", "#cf4900", "#e65100"),
        ("#2456D6", "#2456d6", "#597fe0"),
        ("#fc0", "#8f7200", "#ffcc00"),
        ("#000", "#000000", "#858585"),
        ("#fff", "#757575", "#ffffff"),
    ];
    for (set, light, dark) in cases {
        let accent = Accent::parse(set, "").unwrap();
        assert_eq!(values(accent.style(), "--accent"), [light, dark], "{set}");
        assert_eq!(format!("{accent:?}"), format!("Accent({})", color(set)));
    }
}

#[test]
fn a_colour_that_can_be_read_in_neither_theme_is_refused_with_the_nearest_that_can() {
    let cases = [
        (
            "#e53935",
            "has a contrast of 4.22:1 on the light pages and of 4.08:1 on the dark ones, and text \
             needs 4.5:1 on one of them at least (WCAG 2.2, 1.4.3); the nearest tone that does is \
             #dc3733, on the light pages",
        ),
        (
            "#808080",
            "has a contrast of 3.94:1 on the light pages and of 4.37:1 on the dark ones, and text \
             needs 4.5:1 on one of them at least (WCAG 2.2, 1.4.3); the nearest tone that does is \
             #838383, on the dark pages",
        ),
    ];
    for (set, problem) in cases {
        let error = Accent::parse(set, "").unwrap_err();
        assert_eq!(error.to_string(), format!("accent {set:?} {problem}"));
        let nearest = problem.split("that does is ").nth(1).unwrap();
        assert!(Accent::parse(&nearest[..7], "").is_ok(), "{set}");
    }
}

#[test]
fn what_is_no_colour_in_hexadecimal_is_refused_with_the_value() {
    let long = "#".repeat(200);
    let long_shown = "#".repeat(80) + "…";
    let cases = [
        ("", ""),
        ("#", "#"),
        ("e65100", "e65100"),
        ("#e6510", "#e6510"),
        ("#e65100ff", "#e65100ff"),
        ("#+e6510", "#+e6510"),
        (" #e65100", " #e65100"),
        ("#e6510é", "#e6510é"),
        ("teal", "teal"),
        ("#fff;}body{display:none", "#fff;}body{display:none"),
        (&*long, &*long_shown),
    ];
    for (text, want) in cases {
        let error = Accent::parse(text, "").unwrap_err();
        let ConfigError::Invalid {
            setting: "accent",
            value,
            problem,
        } = error
        else {
            panic!("{text}: {error}");
        };
        assert_eq!(value, want);
        assert!(problem.starts_with("must be a colour in hex"), "{problem}");
    }
}

#[test]
fn whatever_colour_is_taken_every_text_can_be_read_and_one_theme_has_the_colour_itself() {
    let steps = [
        0_u8, 17, 51, 85, 102, 119, 136, 153, 170, 187, 221, 238, 255,
    ];
    let (mut taken, mut refused) = (0, 0);
    for red in steps {
        for green in steps {
            for blue in steps {
                let set = Color([red, green, blue]);
                let Ok(accent) = Accent::parse(&set.to_string(), STYLE) else {
                    refused += 1;
                    continue;
                };
                taken += 1;
                // The last two of each are those of the accent: they stand behind the others.
                let own = accent.style().strip_prefix(STYLE).unwrap();
                let of = |property| {
                    let values = values(own, property).into_iter().map(color);
                    <[Color; 2]>::try_from(values.collect::<Vec<_>>()).unwrap()
                };
                let pages = |property| {
                    let values = values(STYLE, property).into_iter().map(color);
                    <[Color; 2]>::try_from(values.collect::<Vec<_>>()).unwrap()
                };
                let accents = of("--accent");
                assert!(accents.contains(&set), "{set}: {accents:?}");
                let pairs = [
                    ("a link", accents, pages("--card")),
                    ("a link pointed at", of("--accent-strong"), pages("--card")),
                    ("a button", of("--on-accent"), accents),
                    (
                        "a button pointed at",
                        of("--on-accent"),
                        of("--accent-strong"),
                    ),
                    ("a text on the tint", pages("--text"), of("--tint")),
                ];
                for (name, texts, grounds) in pairs {
                    for (text, ground) in texts.into_iter().zip(grounds) {
                        let ratio = text.contrast(ground);
                        assert!(
                            ratio >= ENOUGH,
                            "{set}, {name}: {text} on {ground}: {ratio}"
                        );
                    }
                }
            }
        }
    }
    assert!(
        taken > 1_500 && refused > 50,
        "{taken} taken, {refused} refused"
    );
}

#[test]
fn a_tone_keeps_the_hue() {
    // Hues of HSL are the same where the channels stand in the same order, at the same distances.
    let place = |Color(channels): Color| {
        let [low, high] = [channels.iter().min(), channels.iter().max()].map(|c| *c.unwrap());
        channels.map(|c| f64::from(c - low) / f64::from(high - low))
    };
    for set in ["#e65100", "#2456d6", "#ffcc00", "#6d28d9", "#0f766e"] {
        let accent = Accent::parse(set, "").unwrap();
        for tone in values(accent.style(), "--accent") {
            for (is, was) in place(color(tone)).into_iter().zip(place(color(set))) {
                assert!((is - was).abs() < 0.02, "{set}: {tone}");
            }
        }
    }
}

#[test]
fn the_themes_are_those_of_the_style_sheet() {
    let cards = [LIGHT.card, DARK.card].map(|card| card.to_string());
    assert_eq!(values(STYLE, "--card"), cards);
    for property in ["--accent", "--accent-strong", "--on-accent", "--tint"] {
        assert_eq!(values(STYLE, property).len(), 2, "{property}");
        let accent = Accent::parse("#e65100", STYLE).unwrap();
        assert_eq!(values(accent.style(), property).len(), 4, "{property}");
    }
}
