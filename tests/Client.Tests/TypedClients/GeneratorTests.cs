using Groundwork.Client.Generators;
using Groundwork.Tests.Support;
using Microsoft.CodeAnalysis;

namespace Groundwork.Client.Tests.TypedClients;

public sealed class GeneratorTests
{
    private const string Head = """
        using System.Threading;
        using System.Threading.Tasks;
        using Groundwork.Client;
        namespace Test;

        """;

    /// <summary>Rule, the text that the complaint underlines, what its message says, and the members.</summary>
    private static readonly (string Rule, string At, string Says, string Members)[] Wrong =
    [
        ("GWC004", "RunAsync", "exactly one of", "Task RunAsync();"),
        ("GWC004", "RunAsync", "exactly one of", """[Get("/a"), Post("/a")] Task RunAsync();"""),
        ("GWC005", "RunAsync", "returns 'int'", """[Get("/a")] int RunAsync();"""),
        ("GWC005", "RunAsync", "returns 'void'", """[Get("/a")] void RunAsync();"""),
        ("GWC005", "RunAsync", "ValueTask", """[Get("/a")] ValueTask<int> RunAsync();"""),
        ("GWC005", "RunAsync", "Task<System.Threading.Tasks.Task", """[Get("/a")] Task<Task<int>> RunAsync();"""),
        ("GWC005", "RunAsync", "IAsyncEnumerable",
            """[Get("/a")] Task<System.Collections.Generic.IAsyncEnumerable<int>> RunAsync();"""),
        ("GWC006", "RunAsync", "begin with '/'", """[Get("a")] Task RunAsync();"""),
        ("GWC006", "RunAsync", "empty segment", """[Get("//host/a")] Task RunAsync();"""),
        ("GWC006", "RunAsync", "[Query] parameter", """[Get("/a?b=c")] Task RunAsync();"""),
        ("GWC006", "RunAsync", "segment '..'", """[Get("/a/../b")] Task RunAsync();"""),
        ("GWC006", "RunAsync", "as a whole segment", """[Get("/a-{id}")] Task RunAsync(string id);"""),
        ("GWC006", "RunAsync", "as a whole segment", """[Get("/{id")] Task RunAsync(string id);"""),
        ("GWC006", "RunAsync", "as a whole segment", """[Get("/{}")] Task RunAsync();"""),
        ("GWC006", "RunAsync", "as a whole segment", """[Get("/{id:int}")] Task RunAsync(int id);"""),
        ("GWC006", "RunAsync", "only be the last", """[Get("/{**id}/a")] Task RunAsync(string id);"""),
        ("GWC006", "RunAsync", "stands twice", """[Get("/{id}/{id}")] Task RunAsync(string id);"""),
        ("GWC007", "RunAsync", "'{id}' of path '/a/{id}' is no parameter", """[Get("/a/{id}")] Task RunAsync();"""),
        ("GWC008", "id", "in the path as {id}", """[Get("/a")] Task RunAsync(string id);"""),
        ("GWC008", "id", "exactly one", """[Get("/{id}")] Task RunAsync([Query] string id);"""),
        ("GWC008", "id", "exactly one", """[Get("/a")] Task RunAsync([Query, Header] string id);"""),
        ("GWC009", "RunAsync", "GET does not carry", """[Get("/a")] Task RunAsync([Body] string id);"""),
        ("GWC009", "RunAsync", "HEAD does not carry", """[Head("/a")] Task RunAsync([Body] string id);"""),
        ("GWC009", "RunAsync", "more than one body", """[Post("/a")] Task RunAsync([Body] int a, [Body] int b);"""),
        ("GWC010", "RunAsync", "must not be generic", """[Get("/a")] Task RunAsync<T>();"""),
        ("GWC010", "RunAsync", "not ref", """[Get("/a")] Task RunAsync([Query] in int a);"""),
        ("GWC011", "Count", "is no method", "int Count { get; set; }"),
        ("GWC011", "Changed", "is no method", "event System.Action Changed;"),
        ("GWC012", "key", "'Content-Type' is no name", """
            [Get("/a")] Task RunAsync([Header("Content-Type")] string key);
            """),
        ("GWC012", "key", "'a b' is no name", """[Get("/a")] Task RunAsync([Header("a b")] string key);"""),
        ("GWC013", "item", "'object'", """[Get("/{item}")] Task RunAsync(object item);"""),
        ("GWC013", "item", "int[]", """[Get("/{item}")] Task RunAsync(int[] item);"""),
        ("GWC013", "item", "object[]", """[Get("/a")] Task RunAsync([Query] object[] item);"""),
        ("GWC013", "item", "Lock", """[Get("/a")] Task RunAsync([Header] Lock item);"""),
        ("GWC014", "RunAsync", "more than one",
            """[Get("/a")] Task RunAsync(CancellationToken a, CancellationToken b);"""),
    ];

    public static TheoryData<int> WrongMembers => [.. Enumerable.Range(0, Wrong.Length)];

    [Theory]
    [MemberData(nameof(WrongMembers))]
    public void A_wrong_member_is_an_error_at_its_place(int number)
    {
        var (rule, at, says, members) = Wrong[number];
        Complains(rule, at, says, $$"""
            {{Head}}[ServiceClient("catalog")] public partial interface ICatalog { {{members}} }
            """);
    }

    [Theory]
    [InlineData("GWC001", "ICatalog", "must be partial",
        """[ServiceClient("catalog")] public interface ICatalog { [Get("/a")] Task RunAsync(); }""")]
    [InlineData("GWC002", "ICatalog", "no type parameters",
        """[ServiceClient("catalog")] public partial interface ICatalog<T> { [Get("/a")] Task RunAsync(); }""")]
    [InlineData("GWC002", "ICatalog", "must stand in a namespace",
        """partial class A { [ServiceClient("catalog")] public partial interface ICatalog; }""")]
    [InlineData("GWC003", "ICatalog", "'Catalog/x' is no service",
        """[ServiceClient("Catalog/x")] public partial interface ICatalog { [Get("/a")] Task RunAsync(); }""")]
    [InlineData("GWC003", "ICatalog", "'' is no service",
        """[ServiceClient("")] public partial interface ICatalog { [Get("/a")] Task RunAsync(); }""")]
    [InlineData("GWC011", "ICatalog", "'Dispose' of interface 'IDisposable'",
        """[ServiceClient("a")] public partial interface ICatalog : System.IDisposable;""")]
    public void A_wrong_interface_is_an_error_at_its_place(string rule, string at, string says, string source) =>
        Complains(rule, at, says, Head + source);

    [Fact]
    public void Every_rule_has_a_test_and_its_line_in_the_docs()
    {
        var tested = Wrong.Select(one => one.Rule).Concat(["GWC001", "GWC002", "GWC003"]);
        Assert.Equal(ClientRules.ById.Keys.Order(), tested.Distinct().Order());
        var page = File.ReadAllText(Path.Combine(GroundworkProcess.Repository, "docs", "client.md"));
        Assert.All(ClientRules.ById.Keys, rule => Assert.Contains($"| `{rule}` |", page, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""[ServiceClient("a")] partial interface @class { [Get("/{@if}")] Task<int> @do(int @if); }""")]
    [InlineData("""
        namespace A.B
        {
            [ServiceClient("a")] partial interface IOne { [Get("/a")] Task<(int A, string? B)> RunAsync(); }
        }
        namespace C { [ServiceClient("a")] partial interface IOne { [Get("/a")] Task<IOne[]> RunAsync(int[]? @x); } }
        """)]
    [InlineData("""
        [ServiceClient("a-b.c_1")] public partial interface IMany
        {
            [Get("/{call}/{connection}")] Task RunAsync(string call, string connection);
            [Get("/{call}")] Task RunAsync(int call, CancellationToken __c = default);
            static int Three => 3;
            sealed int Four() => 4;
            enum Kind { A }
        }
        """)]
    public void What_is_right_compiles_without_a_warning(string source)
    {
        var right = "using System.Threading;\nusing System.Threading.Tasks;\nusing Groundwork.Client;\n"
            + source.Replace("{@if}", "{if}", StringComparison.Ordinal)
                .Replace("int[]? @x", "[Query] int[]? @x", StringComparison.Ordinal);

        var (complaints, errors) = GeneratorRun.Diagnose(right);

        Assert.Empty(complaints);
        Assert.Empty(errors);
    }

    [Fact]
    public void Work_elsewhere_in_the_project_does_not_run_the_client_again()
    {
        const string Client = Head + """
            [ServiceClient("catalog")] public partial interface ICatalog
            {
                [Get("/{id}")] Task<string?> FindAsync(string id, [Query] int[] n, CancellationToken token);
            }
            """;
        var driver = GeneratorRun.Driver().RunGenerators(GeneratorRun.Compile(Client, "class Elsewhere;"));

        driver = driver.RunGenerators(GeneratorRun.Compile(Client, "class Elsewhere { int changed; }"));
        Assert.Equal(IncrementalStepRunReason.Unchanged, ReasonOf(driver));

        driver = driver.RunGenerators(GeneratorRun.Compile(Client + "\n// a comment below", "class Elsewhere;"));
        Assert.Equal(IncrementalStepRunReason.Unchanged, ReasonOf(driver));

        driver = driver.RunGenerators(GeneratorRun.Compile(
            Client.Replace("/{id}", "/a/{id}", StringComparison.Ordinal), "class Elsewhere;"));
        Assert.Equal(IncrementalStepRunReason.Modified, ReasonOf(driver));
    }

    private static IncrementalStepRunReason ReasonOf(GeneratorDriver driver) => Assert.Single(Assert.Single(
        Assert.Single(driver.GetRunResult().Results).TrackedSteps[ServiceClientGenerator.ReadingStep]).Outputs).Reason;

    private static void Complains(string rule, string at, string says, string source)
    {
        var (complaints, _) = GeneratorRun.Diagnose(source);

        var complaint = Assert.Single(complaints);
        Assert.Equal(rule, complaint.Id);
        Assert.Contains(says, complaint.GetMessage(), StringComparison.Ordinal);
        Assert.Equal("File0.cs", complaint.Location.GetLineSpan().Path);
        Assert.Equal(at, source.Substring(complaint.Location.SourceSpan.Start, complaint.Location.SourceSpan.Length));
    }
}
