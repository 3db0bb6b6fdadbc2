using System.Collections.Immutable;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Tests.Architecture.Modules;

public sealed class ModuleEdgesTests
{
    private static readonly ModuleEdges Rule = new("Groundwork", Kernel.Hosting.Modules.Table);

    private static readonly ImmutableArray<ModuleDefinition> PlantedTable =
    [
        new("alpha", Layer.Services),
        new("beta", Layer.Services),
        new("gamma", Layer.Communication, "alpha"),
    ];

    private static readonly Lazy<ImmutableArray<Violation>> Planted = new(() =>
    {
        using var assembly = Mono.Cecil.ModuleDefinition.ReadModule(typeof(ModuleEdgesTests).Assembly.Location);
        return [.. new ModuleEdges("Planted", PlantedTable).Check(assembly)];
    });

    [Fact]
    public void The_table_names_only_modules_it_has_and_has_no_cycle() => Violation.None(Rule.CheckTable());

    [Fact]
    public void No_module_uses_another_along_an_edge_the_table_lacks_or_what_is_internal_to_it()
    {
        var violations = new List<Violation>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in Assemblies())
        {
            using var assembly = Mono.Cecil.ModuleDefinition.ReadModule(path);
            violations.AddRange(Rule.Check(assembly));
            seen.UnionWith(assembly.Types.Select(Rule.ModuleOf).OfType<string>());
        }

        // A rule that reads the wrong assemblies would find nothing wrong.
        Assert.Equal(Kernel.Hosting.Modules.Table.Select(row => row.Name).Order(), seen.Order());
        Violation.None(violations);
    }

    [Fact]
    public void No_source_names_a_module_that_its_own_does_not_need() =>
        Violation.None(Repository.CSharp.SelectMany(file => SourceUses.Check(file, Kernel.Hosting.Modules.Table)));

    [Fact]
    public void The_folders_of_the_kernel_keep_their_order()
    {
        using var kernel = Mono.Cecil.ModuleDefinition.ReadModule(typeof(Node).Assembly.Location);
        Violation.None(KernelFolders.Check(kernel, "Groundwork.Kernel"));
    }

    [Fact]
    public void The_kernel_knows_no_module()
    {
        using var kernel = Mono.Cecil.ModuleDefinition.ReadModule(typeof(Node).Assembly.Location);
        var above = Enum.GetNames<Layer>().Append("Presentation").Select(layer => $"Groundwork.{layer}")
            .Append("groundwork");
        Assert.Empty(kernel.AssemblyReferences.Select(reference => reference.Name).Intersect(above));
    }

    [Theory]
    [InlineData("Inherits")]
    [InlineData("Implements")]
    [InlineData("HoldsField")]
    [InlineData("HasProperty")]
    [InlineData("TakesParameter")]
    [InlineData("CallsStatic")]
    [InlineData("CallsInClosure")]
    [InlineData("CallsInStateMachine")]
    [InlineData("NamesType")]
    [InlineData("Catches")]
    [InlineData("IsMarked")]
    [InlineData("Constrains")]
    [InlineData("PassesArgument")]
    public void A_planted_use_along_a_missing_edge_is_found(string type) => Assert.Contains(
        Planted.Value,
        violation => violation.Where == $"Planted.Services.Beta.{type}"
            && violation.What.EndsWith("and beta does not need alpha", StringComparison.Ordinal));

    [Theory]
    [InlineData("UsesInternalType", "Kept")]
    [InlineData("UsesInternalMethod", "Shown.Hidden")]
    [InlineData("UsesInternalField", "Shown.Kept")]
    public void A_planted_use_of_what_is_internal_is_found(string type, string target) => Assert.Contains(
        new Violation(
            $"Planted.Communication.Gamma.{type}", $"uses Planted.Services.Alpha.{target}, which is internal to alpha"),
        Planted.Value);

    [Theory]
    [InlineData("Planted.Services.OfNoModule", "is in Services and in no module of it")]
    [InlineData("Planted.Services.Unlisted.OfUnlistedModule", "is in the module unlisted, which the table lacks")]
    [InlineData("Planted.Data.Beta.OfAnotherLayer", "is outside Services, the layer of beta")]
    public void A_planted_type_in_the_wrong_place_is_found(string type, string what) =>
        Assert.Contains(new Violation(type, what), Planted.Value);

    [Theory]
    [InlineData("Planted.Communication.Gamma.MayUse")]
    [InlineData("Planted.Services.Beta.Innocent")]
    [InlineData("Planted.Services.Alpha.Shown")]
    public void What_is_allowed_is_not_found(string type) =>
        Assert.DoesNotContain(Planted.Value, violation => violation.Where == type);

    [Fact]
    public void Planted_faults_of_a_table_are_found()
    {
        var faults = new ModuleEdges(
            "Planted",
            [
                new("low", Layer.Data, "high"),
                new("high", Layer.Services, "low", "absent"),
            ]).CheckTable().Select(violation => violation.ToString());

        Assert.Equal(
            [
                "low: needs high, which is in a layer above its own",
                "high: needs absent, which the table lacks",
                "the table: has a cycle: high → low → high",
            ],
            faults);
    }

    [Fact]
    public void A_planted_constant_of_another_module_is_found_in_the_source()
    {
        var file = new RepositoryFile(
            "src/Services/Beta/B.cs", "using Groundwork.Services.Alpha;\nconst int Limit = Shown.Limit;\n");
        Assert.Equal(
            "names Groundwork.Services.Alpha, and beta does not need alpha",
            Assert.Single(SourceUses.Check(file, PlantedTable)).What);
    }

    [Fact]
    public void Planted_uses_against_the_order_of_the_kernel_are_found()
    {
        using var assembly = Mono.Cecil.ModuleDefinition.ReadModule(typeof(ModuleEdgesTests).Assembly.Location);
        var found = KernelFolders.Check(assembly, "Planted.Kernel").Distinct().ToList();

        Assert.Contains(found, violation => violation.Where == "Planted.Kernel.Storage.UsesAbove"
            && violation.What.EndsWith("Storage may not use Hosting", StringComparison.Ordinal));
        Assert.Contains(found, violation => violation.Where == "Planted.Kernel.Elsewhere.OfNoFolder");
        Assert.DoesNotContain(found, violation => violation.Where == "Planted.Kernel.Hosting.Above");
    }

    private static IEnumerable<string> Assemblies() => Directory.GetFiles(AppContext.BaseDirectory, "*.dll")
        .Where(path => Path.GetFileNameWithoutExtension(path) is var name
            && (name == "groundwork" || name.StartsWith("Groundwork.", StringComparison.Ordinal))
            && !name.Contains("Tests", StringComparison.Ordinal));
}
