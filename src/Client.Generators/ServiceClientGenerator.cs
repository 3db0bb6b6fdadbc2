using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;

namespace Groundwork.Client.Generators;

/// <summary>
/// Writes the client of every partial interface marked <c>[ServiceClient("name")]</c>: a class inside the interface, so
/// that registering it takes neither a proxy nor reflection.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class ServiceClientGenerator : IIncrementalGenerator
{
    /// <summary>Name of the step whose result must stay the same while the interface does.</summary>
    internal const string ReadingStep = "Groundwork.Client.Reading";

    private const string MarkerName = "Groundwork.Client.ServiceClientAttribute";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var readings = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                MarkerName,
                static (node, _) => node is InterfaceDeclarationSyntax,
                static (marked, _) => ClientReader.Read(marked))
            .WithTrackingName(ReadingStep);
        context.RegisterSourceOutput(readings, static (output, reading) =>
        {
            foreach (var complaint in reading.Complaints) output.ReportDiagnostic(complaint.ToDiagnostic());
            if (reading.Client is not { } client) return;
            var name = client.Namespace is null ? client.Name : $"{client.Namespace}.{client.Name}";
            var source = SourceText.From(ClientWriter.Write(client), Encoding.UTF8);
            output.AddSource($"{name}.g.cs".Replace("@", ""), source);
        });
    }
}
