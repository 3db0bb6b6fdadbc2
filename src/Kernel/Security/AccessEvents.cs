using System.Buffers;
using System.Text.Json;
using Groundwork.Kernel.Hosting.Streaming;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Kernel.Security;

/// <summary>
/// Tells a reader what it may do, at once and whenever that changes, as events <c>access</c>: it need not be able to
/// read the roles that it holds.
/// </summary>
internal sealed class AccessEvents(ChangeFeed feed, Authorizer authorizer, TimeProvider time) : IEventSource
{
    // Roles change rarely; a key or a sign-in that has ended is noticed by asking.
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(15);

    public string Name => "access";

    public async Task<Fault> DeliverAsync(EventStream stream, CancellationToken ended)
    {
        var caller = stream.Caller();
        byte[] told = [];
        while (true)
        {
            var changed = Task.WhenAny(
                feed.Next(SecurityKinds.Role.Name), feed.Next(SecurityKinds.Operator.Name),
                feed.Next(SecurityKinds.AccessKey.Name));
            var asked = await caller.AskAsync();
            if (!asked.TryGet(out var principal, out var fault)) return fault;
            var now = JsonSerializer.SerializeToUtf8Bytes(
                new WhoAmI(principal.Name, principal.Roles, [.. authorizer.GrantsOf(principal)]),
                WireJson.Strict.WhoAmI);
            if (!now.AsSpan().SequenceEqual(told))
            {
                told = now;
                await stream.WriteAsync(now, Write, ended);
            }
            await Task.WhenAny(changed, Task.Delay(AskEvery, time, ended));
            ended.ThrowIfCancellationRequested();
        }
    }

    private static void Write(IBufferWriter<byte> writer, byte[] document)
    {
        writer.Write("event: access\ndata: "u8);
        writer.Write(document);
        writer.Write("\n\n"u8);
    }
}
