using System.Globalization;
using System.Text;
using Groundwork.Communication.Gateway;

namespace Groundwork.Communication.Tests.Gateway.Inspection;

/// <summary>
/// How much of a corpus of attacks is found, and how much of what is none is taken for one. The table that this prints
/// is in docs/gateway/inspection.md; the floors here are what it may not fall below.
/// </summary>
public sealed class CorpusTests
{
    private static readonly string[] Files = ["sql", "xss", "traversal", "command", "benign"];

    [Theory]
    [InlineData(1, 87, 0.5, 73, 0.5)]
    [InlineData(2, 95, 6.5, 82, 7.0)]
    public async Task Attacks_of_the_corpus_are_found_and_other_texts_pass(
        int level, double leastFound, double mostMistaken, double leastFoundHeld, double mostMistakenHeld)
    {
        await using var run = await CorpusRun.StartAsync(new InspectSpec("block", Level: level));
        var table = new StringBuilder("| corpus | cases | stopped | rate |\n|---|---|---|---|\n");
        var missed = new StringBuilder();
        var rates = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var file in Files.Concat(Files.Select(file => $"held-{file}")))
        {
            var cases = CorpusCase.Read(file);
            var stopped = run.Stopped(cases);
            var rate = 100.0 * stopped.Count / cases.Count;
            rates[file] = rate;
            table.Append(
                CultureInfo.InvariantCulture, $"| {file} | {cases.Count} | {stopped.Count} | {rate:0.0} % |\n");
            var wrong = file.EndsWith("benign", StringComparison.Ordinal) ? stopped : cases.Except(stopped);
            foreach (var one in wrong) missed.Append(CultureInfo.InvariantCulture, $"{file}: {one.How} {one.Text}\n");
        }
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine(table.ToString());
        output?.WriteLine(missed.ToString());
        foreach (var file in Files)
        {
            var (rate, held) = (rates[file], rates[$"held-{file}"]);
            if (file == "benign")
            {
                Assert.InRange(rate, 0, mostMistaken);
                Assert.InRange(held, 0, mostMistakenHeld);
                continue;
            }
            Assert.InRange(rate, leastFound, 100);
            Assert.InRange(held, leastFoundHeld, 100);
        }
    }
}
