import NIOCore
import Proxy

/// Writes metrics in Prometheus' text format, version 0.0.4: a family at a time, each with its help and type.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// What the format knows of types.
    enum Kind: String { case counter, gauge, histogram }

    private(set) var text = ""

    /// A family with one value, or none where the value is not known.
    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        family(name, kind, help) { family in
            if let value { family.sample([], value) }
        }
    }

    /// A family whose samples `body` writes. It is told even where there are none yet, so that one knows it is there.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ body: (inout Family) -> Void) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        var family = Family(name: name)
        body(&family)
        text += family.text
    }

    /// The samples of one family.
    struct Family {
        fileprivate let name: String
        fileprivate var text = ""

        fileprivate init(name: String) { self.name = name }

        mutating func sample(_ labels: [(String, String)], _ value: Int) { sample(labels, Double(value)) }

        mutating func sample(_ labels: [(String, String)], _ value: Double) { line(name, labels, value) }

        /// A duration's histogram in seconds, cumulated as the format wants it.
        mutating func histogram(_ labels: [(String, String)], _ figures: HistogramFigures) {
            histogram(
                labels, bounds: DurationBuckets.bounds.map(seconds), buckets: figures.buckets.map { $0 }, sum: seconds(Int64(figures.sum)))
        }

        /// The same with bounds and sum in seconds; the last bucket has no bound.
        mutating func histogram(_ labels: [(String, String)], bounds: [Double], buckets: [Int], sum: Double) {
            var count = 0
            for (index, bucket) in buckets.enumerated() {
                count += bucket
                let bound = index < bounds.count ? PrometheusText.number(bounds[index]) : "+Inf"
                line(name + "_bucket", labels + [("le", bound)], Double(count))
            }
            line(name + "_sum", labels, sum)
            line(name + "_count", labels, Double(count))
        }

        private func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1_000_000_000 }

        private mutating func line(_ name: String, _ labels: [(String, String)], _ value: Double) {
            let written = labels.map { "\($0.0)=\"\(PrometheusText.escaped($0.1))\"" }.joined(separator: ",")
            text += written.isEmpty ? "\(name) \(PrometheusText.number(value))\n" : "\(name){\(written)} \(PrometheusText.number(value))\n"
        }
    }

    /// Whole numbers without a point.
    fileprivate static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 9e15 ? String(Int(value)) : String(value)
    }

    /// A label's value: backslash, quote and line feed are escaped.
    fileprivate static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return text }
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}
