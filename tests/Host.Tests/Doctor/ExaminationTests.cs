using System.Text.Json.Nodes;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Doctor;

namespace Groundwork.Host.Tests.Doctor;

public sealed class ExaminationTests : IDisposable
{
    private readonly CommandRun run = new();

    public void Dispose() => run.Dispose();

    [Theory]
    [InlineData("somaxconn", "4096\n", Verdict.Ok, "4,096")]
    [InlineData("somaxconn", "128\n", Verdict.Low, "128")]
    [InlineData("somaxconn", null, Verdict.Unknown, "unknown")]
    [InlineData("somaxconn", "many", Verdict.Unknown, "unknown")]
    [InlineData("tcp_max_syn_backlog", "512", Verdict.Low, "512")]
    [InlineData("ip_local_port_range", "32768\t60999\n", Verdict.Ok, "32768-60999 (28,232 ports)")]
    [InlineData("ip_local_port_range", "50000\t60000", Verdict.Low, "50000-60000 (10,001 ports)")]
    [InlineData("ip_local_port_range", "1", Verdict.Unknown, "unknown")]
    public void A_limit_of_the_kernel_is_judged(string file, string? content, object verdict, string value)
    {
        var finding = Examine(path => path.EndsWith(file, StringComparison.Ordinal) ? content : null)
            .Single(finding => finding.Name.Contains(file, StringComparison.Ordinal));
        Assert.Equal((verdict, value), (finding.Verdict, finding.Value));
        Assert.NotEqual("", finding.Why);
    }

    [Fact]
    public void Everything_is_looked_at_on_this_machine()
    {
        var findings = Examination.OfMachine(TimeProvider.System).Examine(run.Directory.Combine("not", "there", "yet"));
        Assert.Equal(8, findings.Count);
        Assert.Contains(findings, finding => finding.Name == "clock");
        Assert.Contains(findings, finding => finding.Name == $"free disk ({run.Directory.Path})");
    }

    [Fact]
    public async Task Doctor_prints_every_option_with_its_origin_and_changes_nothing()
    {
        run.Directory.Write("groundwork.yaml", "drainSeconds: 12\n");
        Assert.Equal(ExitCodes.Ok, await run.RunAsync("doctor", "-o", "json", "--node-name", "edge-1"));
        var options = JsonNode.Parse(run.Output)?["options"]?.AsArray() ?? [];
        Assert.Equal(("12", $"{run.Directory.Combine("groundwork.yaml")}:1"), Option("drainSeconds"));
        Assert.Equal(("edge-1", "--node-name"), Option("nodeName"));
        Assert.Equal("default", Option("modules").Origin);
        Assert.Equal(["groundwork.yaml"], Directory.GetFileSystemEntries(run.Directory.Path).Select(Path.GetFileName));

        (string Value, string Origin) Option(string key)
        {
            var option = options.Single(option => (string?)option?["key"] == key);
            return ((string?)option?["value"] ?? "", (string?)option?["origin"] ?? "");
        }
    }

    [Fact]
    public async Task A_configuration_with_faults_is_told_after_the_machine()
    {
        run.Directory.Write("groundwork.yaml", "drainSeconds: soon\nlistners: {api: 1}\n");
        Assert.Equal(ExitCodes.Usage, await run.RunAsync("doctor"));
        Assert.Contains("MACHINE", run.Output, StringComparison.Ordinal);
        Assert.Contains("drainSeconds", run.Error, StringComparison.Ordinal);
        Assert.Contains("listners", run.Error, StringComparison.Ordinal);
    }

    private static IReadOnlyList<Finding> Examine(Func<string, string?> read) =>
        new Examination(read, TimeProvider.System).Examine("/");
}
