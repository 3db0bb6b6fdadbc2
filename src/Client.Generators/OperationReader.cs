using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace Groundwork.Client.Generators;

/// <summary>Says what is wrong: the rule, where, and the words that its message names.</summary>
internal delegate void Complain(DiagnosticDescriptor rule, ISymbol at, params string[] arguments);

/// <summary>Reads one method of the interface.</summary>
internal sealed class OperationReader(IMethodSymbol method, Complain complain)
{
    private const string Attributes = "Groundwork.Client";

    private static readonly ImmutableArray<string> Verbs = ["Get", "Post", "Put", "Patch", "Delete", "Head"];

    // Types in full and with their nullability, so that the written method is the declared one.
    private static readonly SymbolDisplayFormat FullName = SymbolDisplayFormat.FullyQualifiedFormat
        .AddMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    private string? token;

    /// <summary>The operation; null when something is wrong with it, which was said.</summary>
    public Operation? Read()
    {
        if (method.IsGenericMethod || method.Parameters.Any(parameter => parameter.RefKind != RefKind.None))
        {
            complain(ClientRules.Shape, method, method.Name);
            return null;
        }
        if (ReadVerb() is not { } call || ReadReturn() is not { } returns) return null;
        var (parts, fault) = PathTemplate.Read(call.Template);
        if (fault is not null)
        {
            complain(ClientRules.Template, method, call.Template, fault);
            return null;
        }
        var placeholders = parts.Where(part => part.Kind != PathPartKind.Literal).Select(part => part.Text)
            .ToImmutableHashSet();
        foreach (var missing in placeholders.Where(name => method.Parameters.All(one => one.Name != name)))
            complain(ClientRules.NoParameter, method, missing, call.Template, method.Name);
        var parameters = method.Parameters.Select(one => ReadParameter(one, placeholders)).ToImmutableArray();
        var bodies = parameters.Count(one => one?.Place == ParameterPlace.Body);
        if (bodies > 1 || (bodies == 1 && call.Verb is "Get" or "Head"))
            complain(ClientRules.Body, method, method.Name, call.Verb.ToUpperInvariant());
        if (parameters.Contains(null)) return null;
        return new Operation(
            ClientReader.Escaped(method.Name), call.Verb, method.ReturnType.ToDisplayString(FullName), returns.Answer,
            returns.Result, returns.NullWhenMissing,
            new EquatableList<PathPart>(
                [.. parts.Select(part => part.Kind == PathPartKind.Literal
                    ? part : part with { Text = ClientReader.Escaped(part.Text) })]),
            new EquatableList<Parameter>([.. parameters.OfType<Parameter>()]), token);
    }

    private (string Verb, string Template)? ReadVerb()
    {
        var found = method.GetAttributes()
            .Select(attribute => (Verb: Ours(attribute), Attribute: attribute))
            .Where(one => one.Verb is not null && Verbs.Contains(one.Verb))
            .ToList();
        if (found.Count == 1) return (found[0].Verb!, ClientReader.Text(found[0].Attribute)); // Filtered above.
        complain(ClientRules.Verb, method, method.Name);
        return null;
    }

    private (Answer Answer, string Result, bool NullWhenMissing)? ReadReturn()
    {
        if (method.ReturnType is INamedTypeSymbol { Name: "Task", ContainingNamespace: { } space } task
            && space.ToDisplayString() == "System.Threading.Tasks")
        {
            if (!task.IsGenericType) return (Answer.Nothing, "", false);
            var result = task.TypeArguments[0];
            var canBeNull = result.NullableAnnotation == NullableAnnotation.Annotated
                || result.OriginalDefinition.SpecialType == SpecialType.System_Nullable_T;
            var answer = AnswerOf(result);
            if (answer is { } known)
            {
                var written = known == Answer.Json
                    ? result.WithNullableAnnotation(NullableAnnotation.NotAnnotated).ToDisplayString(FullName) : "";
                return (known, written, canBeNull);
            }
        }
        complain(ClientRules.ReturnType, method, method.Name, method.ReturnType.ToDisplayString());
        return null;
    }

    private static Answer? AnswerOf(ITypeSymbol result)
    {
        if (result.SpecialType == SpecialType.System_String) return Answer.Text;
        if (result is IArrayTypeSymbol { ElementType.SpecialType: SpecialType.System_Byte }) return Answer.Bytes;
        return result.WithNullableAnnotation(NullableAnnotation.NotAnnotated).ToDisplayString() switch
        {
            "System.IO.Stream" => Answer.Stream,
            "System.Net.Http.HttpResponseMessage" => Answer.Response,
            _ when result.TypeKind is TypeKind.Error or TypeKind.TypeParameter or TypeKind.Delegate or TypeKind.Dynamic
                => null,
            // Neither is read from one document: a stream of items, and a task within the task.
            var name when name.StartsWith("System.Collections.Generic.IAsyncEnumerable<", StringComparison.Ordinal)
                || name.StartsWith("System.Threading.Tasks.", StringComparison.Ordinal) => null,
            _ => Answer.Json,
        };
    }

    private Parameter? ReadParameter(IParameterSymbol parameter, ImmutableHashSet<string> placeholders)
    {
        var name = ClientReader.Escaped(parameter.Name);
        var type = parameter.Type.ToDisplayString(FullName);
        if (parameter.Type.ToDisplayString() == "System.Threading.CancellationToken")
        {
            if (token is not null) complain(ClientRules.Tokens, method, method.Name);
            token = name;
            return new Parameter(name, type, ParameterPlace.Token, "");
        }
        var marks = parameter.GetAttributes()
            .Select(attribute => (Mark: Ours(attribute), Attribute: attribute))
            .Where(one => one.Mark is "Query" or "Header" or "Body")
            .ToList();
        var inPath = placeholders.Contains(parameter.Name);
        if (marks.Count + (inPath ? 1 : 0) != 1)
        {
            complain(ClientRules.NoPlace, parameter, parameter.Name);
            return null;
        }
        if (inPath) return Simple(parameter, new Parameter(name, type, ParameterPlace.Path, ""));
        var (mark, attribute) = marks[0];
        var wireName = ClientReader.Text(attribute) is { Length: > 0 } given ? given : parameter.Name;
        switch (mark)
        {
            case "Body":
                return new Parameter(name, type, ParameterPlace.Body, "");
            case "Header":
                if (!ParameterRules.IsHeader(wireName)) complain(ClientRules.HeaderName, parameter, wireName);
                return Simple(parameter, new Parameter(name, type, ParameterPlace.Header, wireName));
            default:
                return ParameterRules.IsListOfText(parameter.Type)
                    ? new Parameter(name, type, ParameterPlace.QueryList, wireName)
                    : Simple(parameter, new Parameter(name, type, ParameterPlace.Query, wireName));
        }
    }

    private Parameter? Simple(IParameterSymbol parameter, Parameter read)
    {
        if (ParameterRules.HasText(parameter.Type)) return read;
        complain(ClientRules.ParameterType, parameter, parameter.Name, parameter.Type.ToDisplayString());
        return null;
    }

    // `GetAttribute` of our namespace is `Get`; anybody else's is null.
    private static string? Ours(AttributeData attribute)
    {
        const string Suffix = "Attribute";
        return attribute.AttributeClass is { } type
            && type.ContainingNamespace.ToDisplayString() == Attributes
            && type.Name.EndsWith(Suffix, StringComparison.Ordinal)
                ? type.Name.Substring(0, type.Name.Length - Suffix.Length)
                : null;
    }
}
