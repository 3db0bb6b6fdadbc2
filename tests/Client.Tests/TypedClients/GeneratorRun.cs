using System.Collections.Immutable;
using Groundwork.Client.Generators;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Groundwork.Client.Tests.TypedClients;

/// <summary>The generator run over a source, with everything this process has loaded to refer to.</summary>
internal static class GeneratorRun
{
    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest);

    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Groundwork.Client.Tests", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static CSharpCompilation Compile(params string[] sources) => CSharpCompilation.Create(
        "generated", sources.Select((source, index) => CSharpSyntaxTree.ParseText(source, Parsing, $"File{index}.cs")),
        References,
        new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    public static GeneratorDriver Driver() => CSharpGeneratorDriver.Create(
        [new ServiceClientGenerator().AsSourceGenerator()],
        parseOptions: Parsing,
        driverOptions: new GeneratorDriverOptions(
            IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>What the generator complains of, and what the compiler does of the result.</summary>
    public static (ImmutableArray<Diagnostic> Complaints, ImmutableArray<Diagnostic> Errors) Diagnose(string source)
    {
        Driver().RunGeneratorsAndUpdateCompilation(Compile(source), out var result, out var complaints);
        return (complaints, [.. result.GetDiagnostics().Where(one => one.Severity >= DiagnosticSeverity.Warning)]);
    }
}
