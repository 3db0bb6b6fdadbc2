using System.Net;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content;

/// <summary>Stands before a client and passes everything on: those who want to see some of it see it first.</summary>
internal abstract class PassingClient(IClient next) : IClient
{
    public IClient Next => next;

    public IPAddress? Address => next.Address;

    public ReadOnlySpan<byte> AddressText => next.AddressText;

    public bool IsSecure => next.IsSecure;

    public ReadOnlySpan<byte> Protocol => next.Protocol;

    public virtual bool IsGone => next.IsGone;

    public System.Security.Cryptography.X509Certificates.X509Certificate2? Certificate => next.Certificate;

    public virtual bool BodyTouched => next.BodyTouched;

    public virtual bool HasBegun => next.HasBegun;

    public virtual ValueTask AskForBodyAsync() => next.AskForBodyAsync();

    public virtual ValueTask<int> ReadBodyAsync(Memory<byte> into) => next.ReadBodyAsync(into);

    public virtual void GiveUpBody() => next.GiveUpBody();

    public virtual ValueTask InterimAsync(ResponseHead head) => next.InterimAsync(head);

    public virtual void Begin(AnswerHead head) => next.Begin(head);

    public virtual void Write(ReadOnlySpan<byte> bytes) => next.Write(bytes);

    public virtual Memory<byte> Room(int bytes) => next.Room(bytes);

    public virtual void Advance(int bytes) => next.Advance(bytes);

    public virtual void End(FieldTable? trailers) => next.End(trailers);

    public virtual ValueTask<bool> FlushAsync() => next.FlushAsync();

    public virtual void Abort() => next.Abort();
}
