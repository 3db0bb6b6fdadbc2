using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>What a client of Spring Cloud Config asks for.</summary>
/// <param name="Name">The applications as they were written, such as <c>orders</c> or <c>orders,payments</c>.</param>
/// <param name="Profiles">In rising precedence.</param>
/// <param name="Label">A version of the configuration; null: the default one.</param>
internal sealed record SpringQuery(
    string Name, IReadOnlyList<string> Applications, IReadOnlyList<string> Profiles, string? Label)
{
    /// <summary>The application whose files everybody has.</summary>
    public const string Everybody = "application";

    /// <summary>Applications of one request; each costs some lookups.</summary>
    public const int MaxApplications = 8;

    /// <summary>Profiles of one request, likewise.</summary>
    public const int MaxProfiles = 32;

    /// <summary>Characters of an application, a profile or a label.</summary>
    public const int MaxLength = 255;

    /// <summary>How clients write a slash in a label or a name, where a path cannot have one.</summary>
    private const string Slash = "(_)";

    /// <summary>Names of files without their extensions, the most specific first.</summary>
    public IEnumerable<string> Stems => StemsOfApplications.Select(one => one.Stem);

    /// <summary>The same, each with the application that it is of.</summary>
    public IEnumerable<(string Application, string Stem)> StemsOfApplications
    {
        get
        {
            var applications = Applications.Prepend(Everybody).Distinct(StringComparer.Ordinal).Reverse().ToArray();
            foreach (var profile in Profiles.Reverse())
                foreach (var application in applications) yield return (application, $"{application}-{profile}");
            foreach (var application in applications) yield return (application, application);
        }
    }

    /// <summary>Reads the parts of a request; what could be a way out of a folder is refused.</summary>
    public static Outcome<SpringQuery> Read(string name, string profiles, string? label)
    {
        name = name.Replace(Slash, "/", StringComparison.Ordinal);
        label = label?.Replace(Slash, "/", StringComparison.Ordinal);
        var applications = Split(name);
        var wanted = Split(profiles);
        if (applications.Length is 0 or > MaxApplications || !applications.All(IsPart))
            return Invalid($"'{name}' is no application: 1 to {MaxApplications} names without slashes.");
        if (wanted.Length is 0 or > MaxProfiles || !wanted.All(IsPart))
            return Invalid($"'{profiles}' is no profile: 1 to {MaxProfiles} names without slashes.");
        return label is null || IsLabel(label)
            ? new SpringQuery(name, applications, wanted, label)
            : Invalid($"'{label}' is no label.");
    }

    /// <summary>
    /// A label as git allows names of branches (git-check-ref-format), which the other backends hold to as well.
    /// </summary>
    public static bool IsLabel(string label)
    {
        if (label.Length is 0 or > MaxLength || label is "@" || label[0] is '-' or '/' || label[^1] is '/' or '.')
            return false;
        if (label.Contains("..", StringComparison.Ordinal) || label.Contains("@{", StringComparison.Ordinal)
            || label.Contains("//", StringComparison.Ordinal)) return false;
        foreach (var c in label)
            if (char.IsControl(c) || c is ' ' or '~' or '^' or ':' or '?' or '*' or '[' or '\\') return false;
        return label.Split('/').All(part =>
            !part.StartsWith('.') && !part.EndsWith(".lock", StringComparison.Ordinal));
    }

    private static string[] Split(string text) =>
        text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool IsPart(string text) => text.Length <= MaxLength && text is not ("." or "..")
        && !text.Contains("..", StringComparison.Ordinal)
        && !text.AsSpan().ContainsAny('/', '\\') && !text.Any(char.IsControl);

    private static Fault Invalid(string detail) => new(ErrorCodes.BadRequest, detail);
}
