namespace Groundwork.Tests.EndToEnd.BadInput;

/// <summary>
/// Makes every wrong call of the table against a real node and holds the answer to the one written down, exact to the
/// letter; and the node to having changed nothing. After a change of a message that is meant, run with
/// TESTS_UPDATE_SNAPSHOTS=1 and read the difference.
/// </summary>
public sealed class BadInputTests(BadInputNode node) : IClassFixture<BadInputNode>
{
    private const string UpdateVariable = "TESTS_UPDATE_SNAPSHOTS";

    /// <summary>Fewer rows, and some topic has gone missing.</summary>
    private const int LeastRows = 400;

    private static bool Updates => Environment.GetEnvironmentVariable(UpdateVariable) == "1";

    public static TheoryData<string> Topics => [.. WrongCallTable.Topics];

    [Theory]
    [MemberData(nameof(Topics))]
    public async Task Wrong_calls_are_answered_to_the_letter_and_change_nothing(string topic)
    {
        var calls = WrongCallTable.Read(topic);
        var differences = await DifferencesAsync(node, calls, Updates);
        if (Updates) WrongCallTable.Write(topic, calls);
        Assert.True(differences.Count == 0, string.Join("\n\n", differences));
    }

    [Fact]
    public void Table_is_large_and_every_row_is_named_once()
    {
        var rows = WrongCallTable.Topics.SelectMany(topic => WrongCallTable.Read(topic).Select(call =>
            (topic, call.Name, call.Answer))).ToList();
        Assert.True(rows.Count >= LeastRows, $"there are {rows.Count} rows");
        Assert.Equal(rows.Count, rows.Select(row => (row.topic, row.Name)).Distinct().Count());
        Assert.Empty(rows.Where(row => row.Answer is null).Select(row => row.Name));
    }

    [Fact]
    public async Task A_row_that_promises_something_else_and_a_call_that_changes_something_are_red()
    {
        await using var other = new BadInputNode();
        await other.InitializeAsync();
        var right = WrongCallTable.Read("paths")[0];
        Assert.NotNull(right.Answer);
        Assert.Empty(await DifferencesAsync(other, [right]));
        Assert.Single(await DifferencesAsync(other, [right with { Answer = right.Answer with { Code = "other" } }]));
        Assert.Single(await DifferencesAsync(other, [right with { Answer = right.Answer with { Status = 400 } }]));
        Assert.Single(await DifferencesAsync(other, [right with { Answer = right.Answer with { Detail = "Other." } }]));
        Assert.Single(await DifferencesAsync(other, [right with { Answer = right.Answer with { Fields = ["a: b"] } }]));
        var writes = new WrongCall("is not wrong", "PUT resources/namespace/_/planted", Body: "{\"spec\":{}}");
        var found = await DifferencesAsync(other, [writes with { Answer = await other.MakeAsync(writes with
        {
            Http = writes.Http + "?dryRun=true",
        }) }]);
        Assert.Contains("changed", Assert.Single(found), StringComparison.Ordinal);
    }

    /// <summary>Makes the calls and tells what is not as written; in an update, writes down what came.</summary>
    private static async Task<List<string>> DifferencesAsync(
        BadInputNode node, List<WrongCall> calls, bool writeDown = false)
    {
        var differences = new List<string>();
        var before = await node.StateAsync();
        for (var row = 0; row < calls.Count; row++)
        {
            var answer = await node.MakeAsync(calls[row]);
            var after = await node.StateAsync();
            if (after != before) differences.Add($"{calls[row].Name}: it has changed the store:\n{after}");
            before = after;
            if (writeDown) calls[row] = calls[row] with { Answer = answer };
            else if ($"{answer}" != $"{calls[row].Answer}")
                differences.Add($"{calls[row].Name}:\n  written {calls[row].Answer}\n  came    {answer}");
        }
        return differences;
    }
}
