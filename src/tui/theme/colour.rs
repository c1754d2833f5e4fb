//! Colours as numbers: how bright they are, and whether one can be read on another.

use ratatui::style::Color;

/// A colour as screens mix it (sRGB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

const WHITE: Rgb = Rgb(255, 255, 255);
const BLACK: Rgb = Rgb(0, 0, 0);

/// The steps of a channel in the cube of 216 colours that begins at index 16 (xterm's 256colres.pl).
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The first index that nobody redefines: base16-shell puts colours of its own on 16 to 21.
const FIRST_FIXED: u8 = 22;

/// Where nothing else can be read.
const WHITEST: u8 = 231;
const BLACKEST: u8 = 16;

/// Steps on the way to black or white.
const WAY: u8 = 50;

impl Rgb {
    /// The colour of an index from 16 on; those below are what the user's palette says.
    pub fn of_index(index: u8) -> Rgb {
        match index.checked_sub(16) {
            Some(cube @ 0..216) => {
                let step = |place: u8| STEPS[usize::from(cube / place % 6)];
                Rgb(step(36), step(6), step(1))
            }
            Some(grey) => {
                let level = 8 + 10 * (grey - 216);
                Rgb(level, level, level)
            }
            None => BLACK,
        }
    }

    /// How bright it looks, 0 to 1: relative luminance of WCAG 2.2.
    pub fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// The contrast of two colours, 1 to 21: contrast ratio of WCAG 2.2.
    pub fn contrast(self, other: Rgb) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// White is read better on it than black.
    pub fn is_dark(self) -> bool {
        self.contrast(WHITE) >= self.contrast(BLACK)
    }

    /// The colour that is read best on it: white or black.
    pub(super) fn opposite(self) -> Rgb {
        if self.is_dark() { WHITE } else { BLACK }
    }

    /// This colour with a share, in hundredths, of another one.
    pub(super) fn mixed(self, other: Rgb, share: u8) -> Rgb {
        let mix = |one: u8, two: u8| {
            let sum =
                u16::from(one) * u16::from(100 - share) + u16::from(two) * u16::from(share) + 50;
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        Rgb(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    /// This colour, moved towards white or black until it has the contrast on every ground, or is white or black.
    pub(super) fn legible(self, grounds: &[Rgb], contrast: f64) -> Rgb {
        let Some(first) = grounds.first() else { return self };
        let pole = first.opposite();
        let on_the_way = (0..=WAY).map(|step| self.mixed(pole, step * (100 / WAY)));
        let enough = |colour: &Rgb| grounds.iter().all(|on| colour.contrast(*on) >= contrast);
        on_the_way.into_iter().find(enough).unwrap_or(pole)
    }

    /// The index whose colour is nearest to this one among those that have the contrast on every ground.
    pub(super) fn nearest(self, grounds: &[Rgb], contrast: f64) -> u8 {
        let far = |index: &u8| {
            let other = Rgb::of_index(*index);
            let square = |one: u8, two: u8| u32::from(one.abs_diff(two)).pow(2);
            square(self.0, other.0) + square(self.1, other.1) + square(self.2, other.2)
        };
        let enough = |index: &u8| {
            let colour = Rgb::of_index(*index);
            grounds.iter().all(|on| colour.contrast(*on) >= contrast)
        };
        let mut by_distance: Vec<u8> = (FIRST_FIXED..=u8::MAX).collect();
        by_distance.sort_by_cached_key(far);
        let white_is_best = grounds.first().is_none_or(|ground| ground.is_dark());
        by_distance.into_iter().find(enough).unwrap_or(if white_is_best {
            WHITEST
        } else {
            BLACKEST
        })
    }
}

impl From<Rgb> for Color {
    fn from(colour: Rgb) -> Color {
        Color::Rgb(colour.0, colour.1, colour.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_what_wcag_says_it_is() {
        // The examples of WebAIM's contrast checker: 21, 4.54 (the lightest grey that is enough on white), 3.99.
        for (one, two, expected) in [
            (BLACK, WHITE, 21.0),
            (Rgb(0x76, 0x76, 0x76), WHITE, 4.54),
            (Rgb(255, 0, 0), WHITE, 3.998),
            (WHITE, WHITE, 1.0),
        ] {
            assert!((one.contrast(two) - expected).abs() < 0.005, "{one:?} on {two:?}");
        }
    }

    #[test]
    fn an_index_has_the_colour_that_xterm_gives_it() {
        for (index, colour) in [
            (16, BLACK),
            (110, Rgb(135, 175, 215)),
            (231, WHITE),
            (232, Rgb(8, 8, 8)),
            (255, Rgb(238, 238, 238)),
        ] {
            assert_eq!(Rgb::of_index(index), colour, "{index}");
        }
        assert_eq!(Rgb(134, 176, 214).nearest(&[], 0.0), 110);
    }

    #[test]
    fn on_every_ground_something_can_be_read() {
        for level in 0..=u8::MAX {
            let ground = Rgb(level, level / 2, 255 - level);
            let red = Rgb(255, 0, 0);
            assert!(red.legible(&[ground], 4.5).contrast(ground) >= 4.5, "{ground:?}");
            let index = red.nearest(&[ground], 4.5);
            assert!(Rgb::of_index(index).contrast(ground) >= 4.5, "{ground:?}");
        }
        // What can be read already stays as it is.
        assert_eq!(Rgb(255, 135, 135).legible(&[BLACK], 4.5), Rgb(255, 135, 135));
    }
}
