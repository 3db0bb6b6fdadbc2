using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Security;
using Groundwork.Kernel.Storage;
using Groundwork.Wire;
using Groundwork.Wire.Nacos;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>A call whose caller is known, and how its version of the protocol answers.</summary>
/// <param name="IsV2">True: answers come in an envelope.</param>
internal sealed record NacosCall(FormCall Form, Principal Caller, bool IsV2)
{
    public HttpContext Context => Form.Context;

    /// <summary>A plain text in version 1, a JSON text in version 2.</summary>
    public Task TextAsync(string text) => IsV2
        ? JsonAsync(json => json.WriteStringValue(text))
        : FormCall.AnswerAsync(Context, 200, NacosReply.TextType, Encoding.UTF8.GetBytes(text));

    /// <summary>A JSON document; in version 2 within the envelope.</summary>
    public Task JsonAsync(Action<Utf8JsonWriter> write) => FormCall.AnswerAsync(
        Context, 200, NacosReply.JsonType,
        IsV2 ? NacosReply.Envelope(NacosReply.Success, "success", write) : NacosReply.Bare(write));

    public Task FailAsync(Fault fault) => FailAsync(Context, fault, IsV2);

    public static Task FailAsync(HttpContext context, Fault fault, bool isV2)
    {
        var status = NacosReply.Of(fault).Status;
        return isV2
            ? FormCall.AnswerAsync(context, status, NacosReply.JsonType, NacosReply.Envelope(fault))
            : FormCall.AnswerAsync(
                context, status, NacosReply.TextType, Encoding.UTF8.GetBytes(NacosReply.TextOf(fault)));
    }
}

/// <summary>Finds out who calls, and sees that whatever goes wrong is said as Nacos says it.</summary>
internal sealed class NacosCallers(Authenticator authenticator, Action<AuditEvent> audit)
{
    /// <summary>A handler that is called with the caller's parameters and principal.</summary>
    public RequestDelegate Handle(Func<NacosCall, Task> handle, bool isV2) => async context =>
    {
        try
        {
            var read = await FormCall.ReadAsync(context, NacosLimits.MaxBodyBytes);
            if (!read.TryGet(out var form, out var fault))
            {
                await NacosCall.FailAsync(context, fault, isV2);
                return;
            }
            var known = await FindAsync(context, form["accessToken"], form["username"], form["password"]);
            if (known.TryGet(out var caller, out fault)) await handle(new NacosCall(form, caller, isV2));
            else await NacosCall.FailAsync(context, fault, isV2);
        }
        catch (StorageException away) when (!context.Response.HasStarted)
        {
            await NacosCall.FailAsync(context, away.Fault, isV2);
        }
    };

    /// <summary>Who calls, by the header, a token or a password; a wrong one is on the audit trail.</summary>
    public async ValueTask<Outcome<Principal>> FindAsync(
        HttpContext context, string? token, string? name, string? password)
    {
        var known = await authenticator.AuthenticateAsync(context, token, name, password);
        if (known.TryGet(out var caller, out var fault)) context.Features.Set(caller);
        else audit(RefusedCall.OfNobody(context, fault));
        return known;
    }
}
