using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Groundwork.Services.Settings.Protocols.Spring.Bus;

/// <summary>
/// What somebody says to <c>/monitor</c>: a push of GitHub, GitLab, Gitea or Bitbucket, or paths. Bitbucket names no
/// files; its pushes are about everybody.
/// </summary>
internal sealed record PushNotice(IReadOnlyList<string> Paths)
{
    /// <summary>Bytes of a notice; a push of a thousand commits has less.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Paths that are looked at; of more, everybody is told.</summary>
    public const int MaxPaths = 1_000;

    private const string ForEverybody = "application.yml";

    private static readonly string[] Lists = ["added", "modified", "removed"];

    /// <summary>Reads a notice; one that is about something else than a push has no paths.</summary>
    public static Outcome<PushNotice> Read(HttpRequest request, byte[] body)
    {
        if (request.HasFormContentType)
        {
            var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body));
            return Of(form.TryGetValue("path", out var given) ? given.SelectMany(Split) : []);
        }
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return new Fault(ErrorCodes.BadRequest, "The notice is no object.");
            return Of(PathsOf(request.Headers, document.RootElement));
        }
        catch (JsonException)
        {
            return new Fault(ErrorCodes.BadRequest, "The notice is no JSON.");
        }
    }

    /// <summary>
    /// Whether whoever sent the notice knows the secret: by a signature of it (GitHub, Gitea, Bitbucket), or by showing
    /// it (GitLab).
    /// </summary>
    public static bool IsSigned(IHeaderDictionary headers, byte[] body, string secret)
    {
        var right = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body);
        foreach (var (header, prefix) in new[]
        {
            ("X-Hub-Signature-256", "sha256="), ("X-Gitea-Signature", ""), ("X-Hub-Signature", "sha256="),
        })
        {
            var given = headers[header].ToString();
            if (!given.StartsWith(prefix, StringComparison.Ordinal)) continue;
            var digits = given.AsSpan(prefix.Length);
            var bytes = new byte[HMACSHA256.HashSizeInBytes];
            if (digits.Length == bytes.Length * 2
                && Convert.FromHexString(digits, bytes, out _, out _) == System.Buffers.OperationStatus.Done
                && CryptographicOperations.FixedTimeEquals(bytes, right)) return true;
        }
        // As digests, which are of one length: the comparison tells nothing of the secret's.
        return headers["X-Gitlab-Token"].ToString() is { Length: > 0 } token
            && CryptographicOperations.FixedTimeEquals(
                SHA256.HashData(Encoding.UTF8.GetBytes(token)), SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
    }

    /// <summary>
    /// The destinations that the paths are about: <c>orders-dev.yml</c> is <c>orders:dev</c> or the application
    /// <c>orders-dev</c>, and <c>application.yml</c> everybody, as Spring's server guesses.
    /// </summary>
    public IReadOnlyList<string> Destinations()
    {
        var found = new List<string>();
        foreach (var path in Paths)
        {
            var file = path[(path.LastIndexOf('/') + 1)..];
            var dot = file.LastIndexOf('.');
            var stem = dot > 0 ? file[..dot] : file;
            for (var at = stem.IndexOf('-', StringComparison.Ordinal); at >= 0; at = stem.IndexOf('-', at + 1))
            {
                var (name, profile) = (stem[..at], stem[(at + 1)..]);
                if (name == SpringQuery.Everybody) found.Add($"*:{profile}");
                else if (!name.StartsWith(SpringQuery.Everybody, StringComparison.Ordinal))
                    found.Add($"{name}:{profile}");
            }
            if (stem == SpringQuery.Everybody) found.Add("*");
            else if (!stem.StartsWith(SpringQuery.Everybody, StringComparison.Ordinal)) found.Add(stem);
        }
        return [.. found.Where(one => one.Length is > 0 and <= SpringQuery.MaxLength).Distinct(StringComparer.Ordinal)];
    }

    private static PushNotice Of(IEnumerable<string> paths)
    {
        var some = paths.Where(path => path.Length > 0 && !path.Any(char.IsControl))
            .Distinct(StringComparer.Ordinal).Take(MaxPaths + 1).ToList();
        return new PushNotice(some.Count > MaxPaths ? [ForEverybody] : some);
    }

    private static IEnumerable<string> PathsOf(IHeaderDictionary headers, JsonElement notice)
    {
        if (headers["X-Event-Key"].ToString() is { Length: > 0 } bitbucket)
            return bitbucket is "repo:push" or "repo:refs_changed" or "pullrequest:fulfilled" ? [ForEverybody] : [];
        if (headers["X-Gitlab-Event"].ToString() is { Length: > 0 } gitlab)
            return gitlab is "Push Hook" or "System Hook" or "Tag Push Hook" ? OfCommits(notice) : [];
        foreach (var header in new[] { "X-Gitea-Event", "X-Gogs-Event", "X-GitHub-Event" })
            if (headers[header].ToString() is { Length: > 0 } other) return other == "push" ? OfCommits(notice) : [];
        return notice.TryGetProperty("path", out var path) ? Texts(path) : [];
    }

    private static IEnumerable<string> OfCommits(JsonElement notice)
    {
        if (!notice.TryGetProperty("commits", out var commits) || commits.ValueKind != JsonValueKind.Array) return [];
        return [.. commits.EnumerateArray().Where(commit => commit.ValueKind == JsonValueKind.Object)
            .SelectMany(commit => Lists.SelectMany(
                list => commit.TryGetProperty(list, out var paths) ? Texts(paths) : []))];
    }

    private static IEnumerable<string> Texts(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => Split(element.GetString()),
        JsonValueKind.Array => [.. element.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String)
            .Select(item => item.GetString() ?? "")],
        _ => [],
    };

    private static IEnumerable<string> Split(string? text) =>
        (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
