use super::*;

fn said(text: &str) -> Vec<String> {
    read(text).into_iter().map(|record| record.said).collect()
}

#[test]
fn what_stands_before_a_sentence_goes() {
    let sentence = "Could not open '/a': Permission denied";
    for text in [
        "error: Could not open '/a': Permission denied",
        "2026-11-28 12:00:00.000+0000: 4711: error : qemuProcessReportLogError:1976 : internal error: Could not open '/a': Permission denied",
        "Nov 28 12:00:00 host libvirtd[4711]: Could not open \u{2018}/a\u{2019}: Permission denied",
        "> libvirt.libvirtError: Could not open '/a': Permission denied",
        "\u{1b}[31merror:\u{1b}[0m Could not open &#39;/a&#39;: Permission denied\r",
    ] {
        assert_eq!(said(text), [sentence], "{text}");
    }
}
