//! How fast things are read, and that it grows with the bytes: `cargo bench`.
//!
//! The peer of the same run is `roxmltree`, which only parses, where we also find, cook and keep spans.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use qpt_tui::domain::Document;
use qpt_tui::qemu::CommandLine;

fn main() {
    divan::main();
}

/// Arguments of every kind, with ids that all differ.
fn arguments(count: usize) -> Vec<String> {
    (0..count / 2)
        .flat_map(|n| match n % 5 {
            0 => ["-drive".to_owned(), format!("file=/srv/images/{n},,a.qcow2,format=qcow2,if=none,id=d{n}")],
            1 => ["-device".to_owned(), format!("virtio-blk-pci,drive=d{},id=v{n},addr=0x1e", n - 1)],
            2 => ["-object".to_owned(), format!("{{\"qom-type\":\"memory-backend-file\",\"id\":\"m{n}\",\"mem-path\":\"/dev/shm/m{n}\",\"size\":1048576}}")],
            3 => ["-chardev".to_owned(), format!("socket,id=c{n},path=/run/c{n}.sock,server=on,wait=off")],
            _ => ["-netdev".to_owned(), format!("user,id=n{n},hostfwd=tcp::{}-:22", n % 60000)],
        })
        .collect()
}

#[divan::bench(args = [1_000, 10_000, 100_000])]
fn command_line(bencher: Bencher, count: usize) {
    let arguments = arguments(count);
    let argv: Vec<&str> = arguments.iter().map(String::as_str).collect();
    bencher
        .counter(BytesCount::new(argv.iter().map(|arg| arg.len()).sum::<usize>()))
        .bench(|| CommandLine::read(black_box(&argv), &[]));
}

/// A domain of this many arguments.
fn domain(count: usize) -> String {
    let args: String =
        arguments(count).iter().map(|arg| format!("    <qemu:arg value='{arg}'/>\n")).collect();
    format!(
        "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>bench</name>\n  <qemu:commandline>\n{args}  </qemu:commandline>\n</domain>\n"
    )
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn document(bencher: Bencher, count: usize) {
    let text = domain(count);
    bencher.counter(BytesCount::of_str(&text)).bench(|| Document::parse(black_box(text.as_str())));
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn document_by_roxmltree(bencher: Bencher, count: usize) {
    let text = domain(count);
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        roxmltree::Document::parse(black_box(&text))
            .map(|document| document.root_element().range().len())
    });
}
