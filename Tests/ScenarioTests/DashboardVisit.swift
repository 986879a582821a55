import Foundation
import TestSupport
import Testing

/// What came of the steps: one value for each that was JavaScript, and what must not have happened.
struct DashboardVisit {
    let results: [Any]
    let complaints: [String]
    let stored: String

    init(_ gateway: Gateway, _ steps: [String]) throws {
        let folder = try TemporaryFolder()
        let script = BuildProducts.repository.appending(path: "Tests/Providers/browser.py").path
        let url = "http://127.0.0.1:\(try gateway.adminPort())/"
        let run = try ChildProcess.run(
            try #require(Provider.python).path, [script, Browser.program ?? "", folder.path("profile"), url] + steps, in: folder)
        try #require(run.status == 0, "\(run.errors)")
        let lines = try run.output.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8), options: [.fragmentsAllowed])
        }
        let last = try #require(lines.last as? [String: Any])
        results = lines.dropLast()
        complaints = last["complaints"] as? [String] ?? ["none told"]
        stored = last["stored"] as? String ?? ""
    }
}

// MARK: steps

extension DashboardVisit {
    static func enter(_ token: String) -> [String] {
        ["type:\(token)", "key:Enter", "await until(() => !document.getElementById('main').hidden); return 1"]
    }

    static func add(_ user: String, reason: String = "INC-4711") -> String {
        """
        const form = document.getElementById('add').elements;
        [form.directory.value, form.user.value, form.reason.value] = ['rinne', \(quoted(user)), \(quoted(reason))];
        form[form.length - 1].click();
        return await until(() => /blocked|\\(/.test(document.getElementById('done').textContent) && document.getElementById('done').textContent);
        """
    }

    static func quoted(_ text: String) -> String {
        String(decoding: (try? JSONSerialization.data(withJSONObject: text, options: [.fragmentsAllowed])) ?? Data(), as: UTF8.self)
    }

    static func rows(_ table: String, until condition: String) -> String {
        """
        const rows = () => [...document.querySelectorAll('#\(table) tbody tr')].map((row) => row.innerText);
        await until(() => rows().some((row) => \(condition)));
        return rows();
        """
    }
}
