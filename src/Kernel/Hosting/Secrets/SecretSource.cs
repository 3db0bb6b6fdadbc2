using System.Text.Json;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Secrets;

/// <summary>Gives the spec of a resource with its secrets in clear.</summary>
/// <exception cref="HttpRequestException">The node that has them cannot be reached, or refuses.</exception>
public delegate ValueTask<ReadOnlyMemory<byte>> OpenSpec(Resource resource, CancellationToken cancellationToken);

/// <summary>Where secrets are read: in the node's own store, or at the node that it follows.</summary>
public static class SecretSource
{
    /// <summary>How long the followed node may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>For resources whose secrets lie open in them.</summary>
    public static OpenSpec Plain { get; } = static (resource, _) => new(resource.Spec);

    /// <summary>Of a node as it runs.</summary>
    public static OpenSpec Of(Node node) => node switch
    {
        { OpenSecrets: { } open } => (resource, _) => new(open(resource)),
        { Followed: { } followed } => (resource, stop) => AskAsync(followed, resource, node.Time, stop),
        _ => Plain,
    };

    // The access key that the node follows with must be granted read-secret on the resource.
    private static async ValueTask<ReadOnlyMemory<byte>> AskAsync(
        HttpClient followed, Resource resource, TimeProvider time, CancellationToken cancellationToken)
    {
        var key = resource.Key;
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var ns = key.Namespace.Length > 0 ? key.Namespace : Names.NodeWide;
        var path = $"{Listeners.ApiRoot[1..]}/resources/{key.Kind}/{ns}/{key.Name}?reveal=true";
        using var answer = await followed.GetAsync(new Uri(path, UriKind.Relative), either.Token);
        answer.EnsureSuccessStatusCode();
        var document = await JsonSerializer.DeserializeAsync(
            await answer.Content.ReadAsStreamAsync(either.Token), WireJson.Lenient.ResourceDocument, either.Token);
        if (document is null || document.Revision != resource.Revision)
            throw new HttpRequestException("The followed node has another revision of it.");
        return JsonSerializer.SerializeToUtf8Bytes(document.Spec, WireJson.Lenient.JsonElement);
    }
}
