/// Metrics in Prometheus' text format, taken apart as far as tests need it.
package struct MetricsText: Sendable {
    package let text: String
    /// Every sample by its name and its labels as they are written: `up{job="x"}`.
    package let samples: [String: Double]

    package init(_ text: String) {
        self.text = text
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<space])] = Double(line[line.index(after: space)...])
        }
        self.samples = samples
    }

    package subscript(_ sample: String) -> Double? { samples[sample] }

    /// The sum of a family's samples whose labels include these.
    package func sum(_ name: String, _ labels: String...) -> Double {
        samples.reduce(0) { sum, sample in
            let isOne = sample.key == name || sample.key.hasPrefix(name + "{")
            return isOne && labels.allSatisfy(sample.key.contains) ? sum + sample.value : sum
        }
    }
}
