using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;

namespace Groundwork.Communication.Gateway.Certificates;

/// <summary>Where private keys are read: in the node's own store, or at the node that it follows.</summary>
internal static class KeyRing
{
    /// <summary>How long the followed node may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>For resources without secrets.</summary>
    public static OpenSpec Nothing { get; } = static (resource, _) => new(resource.Spec);

    public static OpenSpec Of(Node node) => node switch
    {
        { Changes: { } changes } => (resource, _) => new(changes.Open(resource)),
        { Followed: { } followed } => (resource, stop) => AskAsync(followed, resource, node.Time, stop),
        _ => Nothing,
    };

    // The access key that the node follows with must be granted read-secret on certificates.
    private static async ValueTask<ReadOnlyMemory<byte>> AskAsync(
        HttpClient followed, Resource resource, TimeProvider time, CancellationToken cancellationToken)
    {
        var key = resource.Key;
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var path = $"{Listeners.ApiRoot[1..]}/resources/{key.Kind}/{key.Namespace}/{key.Name}?reveal=true";
        using var answer = await followed.GetAsync(new Uri(path, UriKind.Relative), either.Token);
        answer.EnsureSuccessStatusCode();
        var document = await JsonSerializer.DeserializeAsync(
            await answer.Content.ReadAsStreamAsync(either.Token), WireJson.Lenient.ResourceDocument, either.Token);
        if (document is null || document.Revision != resource.Revision)
            throw new HttpRequestException("The followed node has another revision of it.");
        return JsonSerializer.SerializeToUtf8Bytes(document.Spec, WireJson.Lenient.JsonElement);
    }
}
