namespace Groundwork.Wire;

/// <summary>One entry of the error catalogue: a stable code, the HTTP status it maps to, and a short title.</summary>
/// <param name="Code">Lower-case words joined by <c>_</c>; never renamed once released.</param>
/// <param name="Status">HTTP status of the API's answer.</param>
/// <param name="Title">One sentence without the particulars of the case; those are the problem's detail.</param>
public sealed record ErrorCode(string Code, int Status, string Title)
{
    public override string ToString() => Code;
}
