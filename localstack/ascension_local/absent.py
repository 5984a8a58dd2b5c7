"""What of template.yaml is left out of the local cloud, and why that does not matter there. The only such list.

`up` deploys the template without these; any other type that neither LocalStack nor our plug-ins know makes it fail
by name. What refers to one that is left out gets the word `absent-` and the resource's name instead.
"""

_NETWORK = "processes of one machine talk over its loopback; nothing routes or filters them"
_DATABASE = "PostgreSQL runs beside the local cloud, and its secret is given as a parameter"

ABSENT: dict[str, str] = {
    "AWS::EC2::EIP": _NETWORK,
    "AWS::EC2::InternetGateway": _NETWORK,
    "AWS::EC2::NatGateway": _NETWORK,
    "AWS::EC2::Route": _NETWORK,
    "AWS::EC2::RouteTable": _NETWORK,
    "AWS::EC2::SecurityGroup": _NETWORK,
    "AWS::EC2::SecurityGroupIngress": _NETWORK,
    "AWS::EC2::Subnet": _NETWORK,
    "AWS::EC2::SubnetRouteTableAssociation": _NETWORK,
    "AWS::EC2::VPC": _NETWORK,
    "AWS::EC2::VPCEndpoint": _NETWORK,
    "AWS::EC2::VPCGatewayAttachment": _NETWORK,
    "AWS::RDS::DBCluster": _DATABASE,
    "AWS::RDS::DBInstance": _DATABASE,
    "AWS::RDS::DBProxy": _DATABASE,
    "AWS::RDS::DBProxyTargetGroup": _DATABASE,
    "AWS::RDS::DBSubnetGroup": _DATABASE,
    "AWS::ECR::Repository": "Batch jobs run from the checkout, not from an image",
    "AWS::CloudWatch::Alarm": "nobody is woken by a laptop; the queues and logs can be looked at",
}
