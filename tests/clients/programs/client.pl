# Perl's LWP: perl client.pl API SMALL OTHER URL
use strict;
use warnings;
use HTTP::Request::Common qw(POST);
use LWP::UserAgent;

my ($api, $small, $other, $url) = @ARGV;
my $agent = LWP::UserAgent->new;

sub show {
    my ($kind, $request) = @_;
    my $body = $agent->request($request)->content;
    print "$kind\t$body\n";
}

my @form = (Content_Type => 'form-data');
show('form', POST "$api/shape", @form, Content => [image => [$small], image => [$other], url => $url]);
show('file', POST "$api/shape", @form, Content => [image => [$small]]);
show('url', POST "$api/shape", [url => $url]);
show('array', POST "$api/shape", @form, Content => ['image[]' => [$small], 'image[]' => [$other]]);
