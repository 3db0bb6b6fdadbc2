using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Groundwork.Tests.Support;

namespace Groundwork.Communication.Tests.Gateway.Correct;

/// <summary>
/// Raw requests and answers, to ours, to nginx and to HAProxy, with an instance that records; the outcomes are those of
/// the committed table. <c>TESTS_WRITE=1</c> writes it.
/// </summary>
public sealed class ConformanceTests
{
    /// <summary>Cases at once: they mostly wait.</summary>
    private const int Parallel = 48;

    /// <summary>The same, of those that are played again.</summary>
    private const int Slow = 8;

    /// <summary>How long nothing may come before that is the outcome; a case that differs is given the longer ones.
    /// </summary>
    private static readonly TimeSpan[] Settles =
        [TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)];

    private static readonly Regex Version = new(@"\d+\.\d+", RegexOptions.NonBacktracking);

    private readonly ConformanceCases cases = ConformanceCases.Read();

    private static bool Writes => Environment.GetEnvironmentVariable("TESTS_WRITE") == "1";

    [Fact]
    public void There_are_at_least_two_hundred_cases() => Assert.InRange(cases.All.Count, 200, 1_000);

    [Fact]
    public async Task Ours_does_with_every_case_what_the_table_says()
    {
        if (Writes) return; // The other test writes all columns.
        var table = ConformanceTable.Read(await File.ReadAllTextAsync(TablePath()));

        var outcomes = await PlayAllAsync(PlayOursAsync, named => table.GetValueOrDefault(named).Ours);

        var differences = Differences(outcomes, named => table.GetValueOrDefault(named).Ours).ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.Equal(cases.All.Select(one => one.Name).Order(), table.Keys.Order());
    }

    [Fact]
    public async Task Nginx_and_haproxy_do_what_the_table_says_and_every_disagreement_is_explained()
    {
        var nginx = Tools.Require("nginx", "nginx-light");
        var haproxy = Tools.Require("haproxy", "haproxy");
        var (nginxVersion, haproxyVersion) = (await MinorAsync(nginx), await MinorAsync(haproxy));
        var committed = Writes ? "" : await File.ReadAllTextAsync(TablePath());
        if (!Writes && !committed.Contains(
            $"nginx {nginxVersion} and HAProxy {haproxyVersion},", StringComparison.Ordinal))
            Assert.Skip($"The table is of other versions than nginx {nginxVersion} and HAProxy {haproxyVersion}.");
        var table = ConformanceTable.Read(committed);

        // When nothing is written, the other test looks at our column.
        var ours = Writes
            ? (await PlayAllAsync(PlayOursAsync, _ => null)).ToDictionary(pair => pair.Key, pair => pair.Value)
            : cases.All.ToDictionary(
                one => one.Name, one => ConformanceTable.Outcome(table.GetValueOrDefault(one.Name).Ours ?? ""));
        var theirs = await PlayPeerAsync(
            pairs => Peer.NginxAsync(nginx, pairs), named => table.GetValueOrDefault(named).Nginx);
        var others = await PlayPeerAsync(
            pairs => Peer.HaproxyAsync(haproxy, pairs), named => table.GetValueOrDefault(named).Haproxy);

        var rows = cases.All.Select(one => new CaseRow(
            one, ours[one.Name],
            Settled(theirs[one.Name], table.GetValueOrDefault(one.Name).Nginx),
            one.HaproxyVaries && !Writes
                ? ConformanceTable.Outcome(table[one.Name].Haproxy)
                : Settled(others[one.Name], table.GetValueOrDefault(one.Name).Haproxy))).ToList();
        var text = ConformanceTable.Write(rows, cases.Reasons, nginxVersion, haproxyVersion);
        if (Writes) await File.WriteAllTextAsync(TablePath(), text);
        Assert.Empty(rows.Where(row => !row.Agrees && row.Case.Because is null).Select(row => row.Case.Name));
        Assert.Empty(rows.Where(row => row.Agrees && row.Case.Because is not null).Select(row => row.Case.Name));
        if (!Writes) Assert.Equal(committed, text);
    }

    // How far a body got before it was cut, and how it was framed, is chance with them: the table's word stands for it.
    private static CaseOutcome Settled(CaseOutcome outcome, string? cell) =>
        cell is not null && ConformanceTable.Outcome(cell) is var before && before.Class == outcome.Class
            ? before
            : outcome;

    private static string TablePath()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "Groundwork.slnx"))) directory = directory.Parent;
        return Path.Combine(directory.FullName, ConformanceTable.Path);
    }

    private static async Task<string> MinorAsync(string program)
    {
        var match = Version.Match(await Peer.VersionAsync(program));
        Assert.True(match.Success);
        return match.Value;
    }

    private IEnumerable<string> Differences(
        IReadOnlyDictionary<string, CaseOutcome> outcomes, Func<string, string?> expected) =>
        from one in cases.All
        let was = ConformanceTable.Cell(outcomes[one.Name])
        where was != expected(one.Name)
        select $"{one.Name}: {was} instead of {expected(one.Name)}";

    private async Task<IReadOnlyDictionary<string, CaseOutcome>> PlayAllAsync(
        Func<ConformanceCase, TimeSpan, Task<CaseOutcome>> play, Func<string, string?> expected)
    {
        var outcomes = new ConcurrentDictionary<string, CaseOutcome>(StringComparer.Ordinal);
        await System.Threading.Tasks.Parallel.ForEachAsync(
            cases.All, new ParallelOptions { MaxDegreeOfParallelism = Parallel },
            async (one, _) => outcomes[one.Name] = await play(one, Settles[Writes ? 1 : 0]));
        // What differs may only have been slow.
        foreach (var settle in Settles.Skip(1))
            await System.Threading.Tasks.Parallel.ForEachAsync(
                cases.All.Where(
                    one => expected(one.Name) is { } cell && ConformanceTable.Cell(outcomes[one.Name]) != cell),
                new ParallelOptions { MaxDegreeOfParallelism = Slow },
                async (one, _) => outcomes[one.Name] = await play(one, settle));
        return outcomes;
    }

    private static async Task<CaseOutcome> PlayOursAsync(ConformanceCase one, TimeSpan settle)
    {
        await using var instance = new RecordingInstance(one);
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Match = spec.Match with { Hosts = ["*"] } }).Instances(instance.Address);
        return await new CaseRun(one, instance).PlayAsync(edge.Address, settle);
    }

    private async Task<IReadOnlyDictionary<string, CaseOutcome>> PlayPeerAsync(
        Func<IReadOnlyList<(int Port, IPEndPoint Instance)>, Task<Peer>> start, Func<string, string?> expected)
    {
        // Two listeners a case: what one run leaves behind does not meet the next.
        var places = cases.All.SelectMany(one => Settles.Select(settle => (Case: one, Settle: settle))).Select(
            place => (place.Case, place.Settle, Instance: new RecordingInstance(place.Case), Port: FreePort.Next()))
            .ToList();
        try
        {
            await using var peer = await start([.. places.Select(place => (place.Port, place.Instance.Address))]);
            return await PlayAllAsync(
                (one, settle) =>
                {
                    var place = places.Find(place => place.Case == one && place.Settle == settle);
                    return new CaseRun(one, place.Instance).PlayAsync(
                        new IPEndPoint(IPAddress.Loopback, place.Port), settle);
                },
                expected);
        }
        finally
        {
            foreach (var place in places) await place.Instance.DisposeAsync();
        }
    }
}
