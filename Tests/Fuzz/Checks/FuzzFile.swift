import ControlPlane

/// The gateway's file and dialects: whatever the bytes, reading them ends, and says why there is nothing or what there is.
func fuzzFile(_ bytes: [UInt8]) throws(Broken) {
    // CR, LF, NEL, LS and PS all end lines in YAML 1.1: a line per byte is more than there can be.
    let lines = bytes.count + 1
    let file = Configuration.read(bytes, path: "fuzz.yaml")
    try checkProblems(file.problems, isRefused: file.configuration == nil, lines: lines)
    if let configuration = file.configuration {
        try hold(!CheckReport.routes(of: configuration).isEmpty, "a good file has routes to show")
    }
    let dialect = DialectFile.read(bytes, path: "fuzz.yaml")
    try checkProblems(dialect.problems, isRefused: dialect.dialect == nil, lines: lines)
}

private func checkProblems(_ problems: [Problem], isRefused: Bool, lines: Int) throws(Broken) {
    try hold(problems.contains { $0.severity == .error } == isRefused, "a file is refused by an error, and by nothing else")
    for problem in problems {
        try hold(!problem.message.isEmpty && !problem.remedy.isEmpty, "a problem says what is wrong and what to do")
        try hold(problem.place.line >= 1 && problem.place.column >= 1, "a place counts from 1")
        try hold(problem.place.file != "fuzz.yaml" || problem.place.line <= lines, "a place is in the file")
    }
    let report = CheckReport.problems(problems)
    try hold(problems.isEmpty == report.isEmpty, "problems are reported")
}
