using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Groundwork.Client.Generators;

/// <summary>Reads one interface and collects everything that is wrong with it.</summary>
internal sealed class ClientReader
{
    /// <summary>As the platform's rule for segments of names.</summary>
    private const int MaxServiceNameLength = 128;

    private readonly ImmutableArray<Complaint>.Builder complaints = ImmutableArray.CreateBuilder<Complaint>();
    private readonly INamedTypeSymbol type;

    private ClientReader(INamedTypeSymbol type) => this.type = type;

    public static ClientReading Read(GeneratorAttributeSyntaxContext marked)
    {
        var reader = new ClientReader((INamedTypeSymbol)marked.TargetSymbol); // The step takes interfaces only.
        var client = reader.ReadClient((InterfaceDeclarationSyntax)marked.TargetNode, marked.Attributes[0]);
        var found = reader.complaints.ToImmutable();
        return new ClientReading(found.IsEmpty ? client : null, new EquatableList<Complaint>(found));
    }

    private ClientModel ReadClient(InterfaceDeclarationSyntax syntax, AttributeData marker)
    {
        if (!syntax.Modifiers.Any(SyntaxKind.PartialKeyword)) Complain(ClientRules.NotPartial, type, type.Name);
        if (type.ContainingType is not null || type.IsGenericType)
            Complain(ClientRules.NestedOrGeneric, type, type.Name);
        var service = Text(marker);
        if (!IsServiceName(service)) Complain(ClientRules.ServiceName, type, service);
        foreach (var inherited in type.AllInterfaces.SelectMany(other => other.GetMembers()).Where(IsToBeWritten))
            Complain(ClientRules.Member, type, inherited.Name, inherited.ContainingType.Name);
        var operations = ImmutableArray.CreateBuilder<Operation>();
        foreach (var member in type.GetMembers().Where(IsToBeWritten))
        {
            if (member is not IMethodSymbol { MethodKind: MethodKind.Ordinary } method)
            {
                // The property or event itself is complained of, not its accessors too.
                if (member is not IMethodSymbol) Complain(ClientRules.Member, member, member.Name, type.Name);
                continue;
            }
            if (new OperationReader(method, Complain).Read() is { } operation) operations.Add(operation);
        }
        return new ClientModel(
            type.ContainingNamespace.IsGlobalNamespace ? null : type.ContainingNamespace.ToDisplayString(),
            Escaped(type.Name), service, new EquatableList<Operation>(operations.ToImmutable()));
    }

    // Types, constants, statics with a body and methods with a default implementation are the interface's own affair.
    private static bool IsToBeWritten(ISymbol member) => member.IsAbstract;

    private static bool IsServiceName(string text) => text.Length is > 0 and <= MaxServiceNameLength
        && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '.' or '_' or '-')
        && text is not ("." or "..");

    private void Complain(DiagnosticDescriptor rule, ISymbol at, params string[] arguments) => complaints.Add(
        new Complaint(rule.Id, Place.Of(at.Locations[0]), new EquatableList<string>([.. arguments])));

    /// <summary>The attribute's only argument.</summary>
    internal static string Text(AttributeData attribute) =>
        attribute.ConstructorArguments.FirstOrDefault().Value as string ?? "";

    /// <summary>The name as code must write it.</summary>
    internal static string Escaped(string name) =>
        SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None ? name : $"@{name}";
}
