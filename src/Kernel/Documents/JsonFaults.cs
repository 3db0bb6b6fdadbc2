using System.Text.Json;
using Groundwork.Wire;

namespace Groundwork.Kernel.Documents;

/// <summary>Says what the JSON reader disliked without the CLR names that its own messages carry.</summary>
public static class JsonFaults
{
    /// <summary>The path from the document's root, without <c>$.</c>, and what is wrong there.</summary>
    public static (string Path, string Message) Explain(JsonException fault)
    {
        var path = fault.Path switch
        {
            null or "$" => "",
            ['$', '.', .. var rest] => rest,
            ['$', .. var rest] => rest,
            var other => other,
        };
        return (path, Explain(fault.Message));
    }

    /// <summary>The same as a field's fault, with its path below <paramref name="root"/>.</summary>
    public static FieldFault ToField(JsonException fault, string root)
    {
        var (path, message) = Explain(fault);
        return new FieldFault(path.Length == 0 ? root : path[0] == '[' ? root + path : $"{root}.{path}", message);
    }

    private static string Explain(string message)
    {
        if (message.Contains("could not be mapped", StringComparison.Ordinal))
        {
            var quoted = message.Split('\'');
            return quoted.Length > 1 ? $"has no field '{quoted[1]}'" : "has a field that is not known";
        }
        if (message.Contains("missing required properties", StringComparison.Ordinal))
        {
            var names = message[(message.LastIndexOf(':') + 1)..].Trim().TrimEnd('.')
                .Replace("'", "", StringComparison.Ordinal)
                .Split(", ");
            return names is [var only]
                ? $"lacks the required field {only}"
                : $"lacks the required fields {string.Join(", ", names[..^1])} and {names[^1]}";
        }
        if (message.Contains("Duplicate property", StringComparison.Ordinal)) return "has a field twice";
        if (message.Contains("allow null", StringComparison.Ordinal)) return "must not be null";
        return message.Contains("could not be converted", StringComparison.Ordinal)
            ? "has the wrong type"
            : Syntax(message);
    }

    // Only what says nothing of the text itself: this ends up in answers and logs.
    private static string Syntax(string message) => message switch
    {
        _ when message.Contains("does not contain any JSON tokens", StringComparison.Ordinal) => "is empty",
        _ when message.Contains("maximum configured depth", StringComparison.Ordinal) => "is nested too deep",
        _ when message.Contains("Expected depth to be zero", StringComparison.Ordinal)
            || message.Contains("reached end of data", StringComparison.Ordinal) => "ends before the JSON is complete",
        _ => "is not valid JSON",
    };
}
