//! The terminal's background: asked for once, and nobody waits for the answer.
//!
//! The question is OSC 11 (xterm, ctlseqs, "Change VT100 text background color to Pt … ?"), `ESC ] 11 ; ? BEL`. It ends with
//! BEL and not with ST, since urxvt answers as it was asked and spoils ST (terminal-colorsaurus, quirks). The answer
//! `ESC ] 11 ; rgb:RRRR/GGGG/BBBB BEL` comes between keys: at once from xterm, VTE, Konsole, kitty, foot, Alacritty, WezTerm and tmux
//! from 3.4 on, after a round trip through ssh, never from the Linux console, PuTTY, mosh and older Windows Terminals. So the
//! first frame is drawn without it, and it is a message like others when it comes.
//!
//! Programs that wait for it send a second question that all terminals answer (DA1, `ESC [ c`) to know when to give up. Here
//! nobody waits; and where its answer is torn after ESC, crossterm makes keys of it.
//!
//! crossterm knows no OSC: an answer comes out of it as the keys Alt-], 1, 1, ; and so on. An [`Ear`] puts it together
//! again and lets everything else through, in its order. What can only be an answer is never a key, however late it comes.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use crate::tui::theme::Rgb;

/// What asks for the background.
pub(super) const QUESTION: &[u8] = b"\x1b]11;?\x07";

/// How long after the question the terminal is not given back without an answer: it would be typed at the shell's prompt.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long after the question Escape waits for what may follow it.
const TORN: Duration = Duration::from_secs(3);

/// When the terminal was asked, until it answered or has taken too long.
static ASKED: Mutex<Option<Instant>> = Mutex::new(None);
static ANSWERED: Condvar = Condvar::new();

/// Notes that the terminal is being asked.
pub(super) fn asked() {
    *ASKED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

/// Notes that there is an answer, or nobody who reads it.
pub(super) fn answered() {
    *ASKED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    ANSWERED.notify_all();
}

/// Waits until the answer was read, which another thread does, or [`PATIENCE`] is over.
pub(super) fn await_answer() {
    let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    while let Some(moment) = *asked {
        let left = PATIENCE.saturating_sub(moment.elapsed());
        if left.is_zero() {
            *asked = None;
            return;
        }
        let waited = ANSWERED.wait_timeout(asked, left);
        asked = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// What an ear makes of an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    Event(Event),
    Background(Rgb),
}

/// Finds the answer among the events, and takes out whatever else a terminal answers: a string between OSC, DCS, SOS, PM or APC
/// and ST or BEL (ECMA-48, 5.6) is nothing that anybody types.
pub(super) struct Ear {
    /// When the terminal was asked; nothing where it was not.
    asked: Option<Instant>,
    state: State,
}

/// What came so far.
#[derive(Debug, Default)]
enum State {
    /// Keys.
    #[default]
    Idle,
    /// Escape, which may be torn from what follows it; it is held back in the first moments.
    Escaped(Option<Event>),
    /// A string, or what may be the beginning of one.
    Within(Within),
    /// A string that ended with half of an ST.
    Half,
}

/// A string that has begun.
#[derive(Debug)]
struct Within {
    /// What it holds, as the terminal sent it.
    text: String,
    /// It is an OSC.
    is_osc: bool,
    /// Its events, as long as they may be keys.
    held: Vec<Event>,
    /// Its beginning was torn: only an answer that was asked for goes on there.
    is_torn: bool,
    /// Nothing came for a while in the middle of an answer: what is no part of it is a key.
    is_late: bool,
}

/// The keys that crossterm makes of the beginnings of strings.
const BEGINNINGS: [char; 5] = [']', 'P', 'X', '^', '_'];

impl Ear {
    pub(super) fn new(asked: Option<Instant>) -> Ear {
        Ear { asked, state: State::Idle }
    }

    /// Takes an event; gives what is known to be none of an answer, in its order, and an answer that is whole.
    pub(super) fn hear(&mut self, event: Event, now: Instant) -> Vec<Heard> {
        let sent = match &event {
            Event::Key(key) => sent(*key),
            Event::Paste(_) => None,
            // They come between keys, never within an answer.
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) | Event::Resize(..) => {
                return vec![Heard::Event(event)];
            }
        };
        let sent = sent.as_deref().unwrap_or_default();
        match std::mem::take(&mut self.state) {
            State::Within(within) => self.go_on(within, event, sent, now),
            State::Half if sent == "\\" => Vec::new(),
            State::Escaped(held) if sent == "]" => {
                let held = held.into_iter().chain([event]).collect();
                self.state = State::Within(Within {
                    text: String::new(),
                    is_osc: true,
                    held,
                    is_torn: true,
                    is_late: false,
                });
                Vec::new()
            }
            State::Escaped(Some(held)) => {
                let mut out = vec![Heard::Event(held)];
                out.extend(self.hear(event, now));
                out
            }
            State::Idle | State::Half | State::Escaped(None) => self.begin(event, sent, now),
        }
    }

    /// An event that follows keys.
    fn begin(&mut self, event: Event, sent: &str, now: Instant) -> Vec<Heard> {
        let beginning = sent.strip_prefix('\x1b').and_then(|rest| rest.chars().next());
        if let Some(sign) = beginning.filter(|sign| BEGINNINGS.contains(sign)) {
            self.state = State::Within(Within {
                text: String::new(),
                is_osc: sign == ']',
                held: vec![event],
                is_torn: false,
                is_late: false,
            });
            return Vec::new();
        }
        if sent != "\x1b" {
            return vec![Heard::Event(event)];
        }
        // Escape is a key that people wait for; later on it passes, and only what follows is kept back.
        let is_early = self.asked.is_some_and(|asked| now.duration_since(asked) <= TORN);
        self.state = State::Escaped(is_early.then(|| event.clone()));
        if is_early { Vec::new() } else { vec![Heard::Event(event)] }
    }

    /// An event within a string, or within what may be one.
    fn go_on(&mut self, mut within: Within, event: Event, sent: &str, now: Instant) -> Vec<Heard> {
        if ["\x07", "\x1b\\", "\x1b"].contains(&sent) && !within.text.is_empty() {
            if sent == "\x1b" {
                self.state = State::Half;
            }
            let colour = if within.is_osc { answer(&within.text) } else { None };
            return colour.map(Heard::Background).into_iter().collect();
        }
        let next = format!("{}{sent}", within.text);
        let fits = within.is_osc && goes_on(&next) && !sent.is_empty();
        let may_go_on = if within.is_torn || within.is_late { fits } else { !sent.is_empty() };
        if !may_go_on {
            let mut out: Vec<Heard> = within.held.drain(..).map(Heard::Event).collect();
            out.extend(self.hear(event, now));
            return out;
        }
        within.text = next;
        within.held.push(event);
        // What came in one go behind a beginning is a string; a torn one is told by the colour that it names.
        if !within.is_torn || is_colour(&within.text) {
            within.held.clear();
        }
        self.state = State::Within(within);
        Vec::new()
    }

    /// Nothing came for a while: what may be keys are keys.
    pub(super) fn silence(&mut self) -> Vec<Heard> {
        match std::mem::take(&mut self.state) {
            State::Idle | State::Half => Vec::new(),
            State::Escaped(held) => {
                self.state = State::Escaped(None);
                held.map(Heard::Event).into_iter().collect()
            }
            State::Within(within) if within.is_osc && is_colour(&within.text) => {
                self.state = State::Within(Within { is_late: true, ..within });
                Vec::new()
            }
            State::Within(within) => within.held.into_iter().map(Heard::Event).collect(),
        }
    }
}

/// What the terminal sent for a key, where it can be a part of an answer.
fn sent(key: KeyEvent) -> Option<String> {
    let modifiers = key.modifiers - KeyModifiers::SHIFT;
    let KeyCode::Char(c) = key.code else {
        let is_escape = key.code == KeyCode::Esc && modifiers.is_empty();
        return is_escape.then(|| "\x1b".to_owned());
    };
    if modifiers.is_empty() {
        Some(c.to_string())
    } else if modifiers == KeyModifiers::ALT {
        Some(format!("\x1b{c}"))
    } else {
        let is_bell = modifiers == KeyModifiers::CONTROL && c == 'g';
        Some(if is_bell { "\x07".to_owned() } else { String::new() })
    }
}

/// What an answer begins with, behind OSC; `rgba:` is what terminals with a translucent background say.
const MODELS: [&str; 3] = ["11;rgb:", "11;rgba:", "11;#"];

/// Whether a text names a colour, however much of it is there.
fn is_colour(text: &str) -> bool {
    MODELS.iter().any(|model| text.starts_with(model))
}

/// Whether a text may become an answer.
fn goes_on(text: &str) -> bool {
    /// Four channels of four digits, with what stands between them.
    const MOST: usize = 4 * 5;
    if MODELS.iter().any(|model| model.starts_with(text)) {
        return true;
    }
    let Some(model) = MODELS.iter().find(|model| text.starts_with(**model)) else { return false };
    let channels = &text[model.len()..];
    channels.len() <= MOST && channels.chars().all(|c| c.is_ascii_hexdigit() || c == '/')
}

/// The colour of a whole answer.
fn answer(text: &str) -> Option<Rgb> {
    let model = MODELS.into_iter().find(|model| text.starts_with(model))?;
    colour(model.trim_start_matches("11;"), &text[model.len()..])
}

/// A colour as XParseColor(3) has it: channels of one to four hexadecimal digits, which are shares of the most.
fn colour(model: &str, channels: &str) -> Option<Rgb> {
    let parts: Vec<&str> = if model == "#" {
        let length = channels.len() / 3;
        if length == 0 || !channels.len().is_multiple_of(3) {
            return None;
        }
        (0..3).map(|at| &channels[at * length..(at + 1) * length]).collect()
    } else {
        channels.split('/').collect()
    };
    let channel = |at: usize| {
        let digits = *parts.get(at)?;
        let most = 16_u32.checked_pow(u32::try_from(digits.len()).ok().filter(|n| *n <= 4)?)? - 1;
        let value = u32::from_str_radix(digits, 16).ok()?;
        u8::try_from((value * 255 + most / 2) / most).ok()
    };
    Some(Rgb(channel(0)?, channel(1)?, channel(2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(c: char) -> Event {
        let (code, modifiers) = match c {
            '\x1b' => (KeyCode::Esc, KeyModifiers::NONE),
            '\x07' => (KeyCode::Char('g'), KeyModifiers::CONTROL),
            c => (KeyCode::Char(c), KeyModifiers::NONE),
        };
        Event::Key(KeyEvent::new(code, modifiers))
    }

    /// Events as crossterm makes them of bytes: an Escape that more follows in the same read is the next key's Alt.
    fn events(reads: &[&str]) -> Vec<Event> {
        let mut events = Vec::new();
        for read in reads {
            let mut rest = read.chars().peekable();
            while let Some(c) = rest.next() {
                match rest.peek() {
                    Some(next) if c == '\x1b' => {
                        let code = KeyCode::Char(*next);
                        events.push(Event::Key(KeyEvent::new(code, KeyModifiers::ALT)));
                        rest.next();
                    }
                    _ => events.push(key(c)),
                }
            }
        }
        events
    }

    /// The keys that are left of bytes, and the answers; each read is followed by a silence where `pauses` is set.
    fn heard(reads: &[&str], pauses: bool) -> (Vec<Event>, Vec<Rgb>) {
        let now = Instant::now();
        let mut ear = Ear::new(Some(now));
        let mut all = Vec::new();
        for read in reads {
            for event in events(&[read]) {
                all.extend(ear.hear(event, now));
            }
            if pauses {
                all.extend(ear.silence());
            }
        }
        all.extend(ear.silence());
        let (mut keys, mut answers) = (Vec::new(), Vec::new());
        for one in all {
            match one {
                Heard::Event(event) => keys.push(event),
                Heard::Background(colour) => answers.push(colour),
            }
        }
        (keys, answers)
    }

    const ANSWER: &str = "\x1b]11;rgb:ffff/8080/0000\x07";
    const ORANGE: Rgb = Rgb(255, 128, 0);

    #[test]
    fn an_answer_is_no_key_wherever_it_is_torn() {
        for at in 0..=ANSWER.len() {
            let (one, two) = ANSWER.split_at(at);
            let (keys, answers) = heard(&[one, two], false);
            assert_eq!((keys, answers), (Vec::new(), vec![ORANGE]), "torn at {at}");
        }
        let every: Vec<&str> = ANSWER.split("").collect();
        assert_eq!(heard(&every, false), (Vec::new(), vec![ORANGE]));
        // Once it can be nothing else, it may even take its time.
        for at in "\x1b]11;rgb:".len()..ANSWER.len() {
            let (one, two) = ANSWER.split_at(at);
            assert_eq!(heard(&[one, two], true), (Vec::new(), vec![ORANGE]), "late at {at}");
        }
    }

    #[test]
    fn answers_come_in_several_forms() {
        for (answer, expected) in [
            ("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", Rgb(0x1e, 0x1e, 0x2e)),
            ("\x1b]11;rgb:ff/80/00\x07", ORANGE),
            ("\x1b]11;rgb:f/8/0\x07", Rgb(255, 136, 0)),
            ("\x1b]11;rgba:ffff/8080/0000/cccc\x07", ORANGE),
            ("\x1b]11;#ff8000\x07", ORANGE),
            ("\x1b]11;rgb:ffff/8080/0000\x1b", ORANGE),
        ] {
            assert_eq!(heard(&[answer], false), (Vec::new(), vec![expected]), "{answer:?}");
        }
        // What can't be read is an answer nevertheless.
        for answer in ["\x1b]11;rgb:12345/0/0\x07", "\x1b]11;rgb:/\x07", "\x1b]11;#12\x07"] {
            assert_eq!(heard(&[answer], false), (Vec::new(), Vec::new()), "{answer:?}");
        }
        // An ST that is torn.
        let torn = ["\x1b]11;rgb:ffff/8080/0000\x1b", "\\", "j"];
        assert_eq!(heard(&torn, false), (events(&["j"]), vec![ORANGE]));
    }

    #[test]
    fn what_terminals_answer_else_is_no_key_either() {
        let long = format!("\x1b]11;{}\x07", "d".repeat(5000));
        for string in [
            "\x1b]11;dxuX\x07",
            "\x1b]11;dark red\x07",
            "\x1b]4;1;rgb:dddd/dddd/dddd\x07",
            "\x1b]10;rgb:dddd/dddd/dddd\x1b\\",
            "\x1b]52;c;ZGRkZA==\x07",
            "\x1bP1$r0mdx\x1b\\",
            "\x1bP>|dxXTerm(370)\x1b\\",
            "\x1b_Gi=1;OK\x1b\\",
            &long,
        ] {
            assert_eq!(heard(&[string], false), (Vec::new(), Vec::new()), "{string:?}");
            assert_eq!(heard(&[string, "j"], false).0, events(&["j"]), "{string:?}");
            // One that breaks off takes nothing along that comes later.
            let broken = &string[..string.len() - 3];
            assert_eq!(heard(&[broken, "j"], true).0, events(&["j"]), "{broken:?}");
        }
    }

    #[test]
    fn an_answer_that_is_torn_behind_escape_is_no_key() {
        let (keys, answers) = heard(&["\x1b", &ANSWER[1..]], true);
        assert_eq!((keys, answers), (events(&["\x1b"]), vec![ORANGE]));
        // Keys that begin like it are keys.
        for typed in ["]", "]1", "]11;", "]j", "j"] {
            assert_eq!(heard(&["\x1b", typed], true).0, events(&["\x1b", typed]), "{typed}");
        }
    }

    #[test]
    fn keys_stay_keys_in_their_order() {
        for typed in ["jk", "\x1b", "\x1bj", "\x1b]", "\x07\\"] {
            for pauses in [false, true] {
                assert_eq!(heard(&[typed], pauses), (events(&[typed]), Vec::new()), "{typed:?}");
            }
        }
        let around = format!("ab{ANSWER}cd");
        assert_eq!(heard(&[&around], false), (events(&["ab", "cd"]), vec![ORANGE]));
        let escaped = ["\x1b", "q", ANSWER];
        assert_eq!(heard(&escaped, true), (events(&["\x1b", "q"]), vec![ORANGE]));
        // An answer that breaks off leaves the keys after it.
        assert_eq!(heard(&["\x1b]11;rgb:ff", "qZ"], true), (events(&["qZ"]), Vec::new()));
        let pasted = Event::Paste("\x1b]11;rgb:".to_owned());
        let mut ear = Ear::new(Some(Instant::now()));
        assert_eq!(ear.hear(pasted.clone(), Instant::now()), [Heard::Event(pasted)]);
    }

    #[test]
    fn who_has_not_asked_waits_for_nothing() {
        let mut ear = Ear::new(None);
        for event in events(&["j", "\x1b", "q"]) {
            assert_eq!(ear.hear(event.clone(), Instant::now()), [Heard::Event(event)]);
        }
    }

    #[test]
    fn escape_waits_in_the_first_moments_only() {
        let start = Instant::now();
        let mut ear = Ear::new(Some(start));
        assert_eq!(ear.hear(key('\x1b'), start), []);
        assert_eq!(ear.silence(), [Heard::Event(key('\x1b'))]);
        let later = start + TORN + Duration::from_millis(1);
        assert_eq!(ear.hear(key('\x1b'), later), [Heard::Event(key('\x1b'))]);
        // What follows it is an answer all the same.
        let rest = events(&[&ANSWER[1..]]);
        let all: Vec<Heard> = rest.into_iter().flat_map(|event| ear.hear(event, later)).collect();
        assert_eq!(all, [Heard::Background(ORANGE)]);
    }
}
