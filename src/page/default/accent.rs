//! `Accent`: the colour of buttons and links, in the light and in the dark theme.
//!
//! - Text needs a contrast of 4.5:1 (WCAG 2.2, 1.4.3). The colour itself reaches that on the card
//!   of one theme at least, or it is refused.
//! - In a theme where it does not, the theme has a tone of it: mixed with black on the light card,
//!   or with white on the dark one, by as few hundredths as reach the contrast. That is CSS's
//!   `color-mix(in srgb, …)`, which keeps the hue.
//! - The colours are part of the one style sheet. The policy names its hash, and nothing more.

use std::fmt;

use crate::error::ConfigError;

/// WCAG 2.2, 1.4.3, of text that is not large.
const ENOUGH: f64 = 4.5;

const BLACK: Color = Color([0, 0, 0]);
const WHITE: Color = Color([255, 255, 255]);

/// A theme of `style.css`: its card, and the text on a button.
struct Theme {
    card: Color,
    on_accent: Color,
    /// With what a colour is mixed until it can be read on the card.
    toward: Color,
    /// How many hundredths of `toward` a button or link has under the pointer.
    pointed_at: u8,
    /// How many hundredths of the accent are in the ground of icons and codes.
    tint: u8,
}

const LIGHT: Theme = Theme {
    card: WHITE,
    on_accent: WHITE,
    toward: BLACK,
    pointed_at: 20,
    tint: 10,
};

const DARK: Theme = Theme {
    card: Color([0x17, 0x1b, 0x21]),
    on_accent: Color([0x0d, 0x10, 0x14]),
    toward: WHITE,
    pointed_at: 30,
    tint: 16,
};

/// A colour of sRGB.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Color([u8; 3]);

/// The colour that an application set, and the style sheet with it.
#[derive(Clone)]
pub(super) struct Accent {
    color: Color,
    style: String,
}

impl fmt::Debug for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Accent").field(&self.color).finish()
    }
}

impl Accent {
    /// Reads a colour, and adds it to a style sheet.
    pub(super) fn parse(text: &str, style: &str) -> Result<Self, ConfigError> {
        let refuse = |problem: String| ConfigError::beginning("accent", text, problem);
        let Some(color) = Color::parse(text) else {
            let problem = "must be a colour in hexadecimal: # and three or six digits, such as \
                           #2456d6";
            return Err(refuse(problem.to_owned()));
        };
        if !LIGHT.can_show(color) && !DARK.can_show(color) {
            return Err(refuse(unreadable(color)));
        }
        let style = format!(
            "{style}:root {{\n{}}}\n@media (prefers-color-scheme: dark) {{\n:root {{\n{}}}\n}}\n",
            LIGHT.declarations(color),
            DARK.declarations(color),
        );
        Ok(Self { color, style })
    }

    pub(super) fn style(&self) -> &str {
        &self.style
    }
}

/// Says by how much a colour fails, and which one would do.
fn unreadable(color: Color) -> String {
    let (darker, lighter) = (LIGHT.least_mix(color), DARK.least_mix(color));
    let (nearest, theme) = if darker <= lighter {
        (color.mixed(LIGHT.toward, darker), "light")
    } else {
        (color.mixed(DARK.toward, lighter), "dark")
    };
    format!(
        "has a contrast of {} on the light pages and of {} on the dark ones, and text needs 4.5:1 \
         on one of them at least (WCAG 2.2, 1.4.3); the nearest tone that does is {nearest}, on \
         the {theme} pages",
        shown(color.contrast(LIGHT.card)),
        shown(color.contrast(DARK.card)),
    )
}

/// Writes a ratio as WCAG does, cut and not rounded: 4.499 is not enough, and does not look so.
fn shown(ratio: f64) -> String {
    format!("{:.2}:1", (ratio * 100.0).floor() / 100.0)
}

impl Theme {
    /// Says whether links of this colour can be read on the card, and texts on its buttons.
    fn can_show(&self, color: Color) -> bool {
        color.contrast(self.card) >= ENOUGH && color.contrast(self.on_accent) >= ENOUGH
    }

    /// Returns how many hundredths of `toward` the colour needs at least.
    fn least_mix(&self, color: Color) -> u8 {
        (0..=100)
            .find(|&hundredths| self.can_show(color.mixed(self.toward, hundredths)))
            .unwrap_or(100)
    }

    fn declarations(&self, color: Color) -> String {
        let accent = color.mixed(self.toward, self.least_mix(color));
        let strong = accent.mixed(self.toward, self.pointed_at);
        let tint = self.card.mixed(accent, self.tint);
        let on_accent = self.on_accent;
        format!(
            "  --accent: {accent};\n  --accent-strong: {strong};\n  --on-accent: {on_accent};\n  \
             --tint: {tint};\n"
        )
    }
}

impl Color {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        match digits.len() {
            6 => Some(Self([red, green, blue])),
            // Each digit stands for two: #f80 is #ff8800.
            3 => Some(Self(
                [green & 15, blue >> 4, blue & 15].map(|digit| digit * 17),
            )),
            _ => None,
        }
    }

    /// Returns this colour with some hundredths of another one.
    fn mixed(self, other: Self, hundredths: u8) -> Self {
        let part = u32::from(hundredths.min(100));
        let [red, green, blue] = self.0;
        let [other_red, other_green, other_blue] = other.0;
        let mix = |one: u8, other: u8| {
            let sum = u32::from(one) * (100 - part) + u32::from(other) * part;
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self([
            mix(red, other_red),
            mix(green, other_green),
            mix(blue, other_blue),
        ])
    }

    /// Returns the contrast ratio, from 1 to 21 (WCAG 2.2, "contrast ratio").
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// Returns the relative luminance, from 0 to 1 (WCAG 2.2, "relative luminance").
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Debug for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
